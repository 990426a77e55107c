// reference: which pages of docs/reference are generated from which tables. The pages of the contracts come from buf's
// descriptors (contracts.ts); these need nothing but the program itself.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { operatorSettings } from "../operator/config.ts";
import { operatorMetricTable } from "../operator/metrics.ts";
import { routerSettings } from "../router/config.ts";
import { openApi } from "../router/http/openapi.ts";
import { routerMetricTable } from "../router/metrics.ts";
import { workerSettings } from "../workers/config.ts";
import { workerMetricTable } from "../workers/metrics.ts";
import { chartSchema } from "./chart-schema.ts";
import { root } from "./child.ts";
import { clusterFiles } from "./cluster-manifests.ts";
import { enginesPage } from "./engines-reference.ts";
import { familiesPage } from "./families-reference.ts";
import { monitoringFiles } from "./monitoring/monitoring.ts";
import { policyPage } from "./policy-reference.ts";
import { configPage, errorsPage, gatePage, metricsPage, samplingPage } from "./table-reference.ts";
import { tensorrtPage } from "./tensorrt-reference.ts";

/** Path from the root → text. */
export function tablePages(): Readonly<Record<string, string>> {
  return {
    ...clusterFiles(),
    ...monitoringFiles(),
    "charts/slipstream/values.schema.json": chartSchema(readFileSync(join(root, "charts/slipstream/values.yaml"), "utf8")),
    "docs/reference/errors.md": errorsPage(),
    "docs/reference/gate.md": gatePage(),
    "docs/reference/engines.md": enginesPage(),
    "docs/reference/families.md": familiesPage(),
    "docs/reference/openapi.json": `${JSON.stringify(openApi(), null, 2)}\n`,
    "docs/reference/policy.md": policyPage(),
    "docs/reference/sampling.md": samplingPage(),
    "docs/reference/tensorrt-llm.md": tensorrtPage(),
    "docs/reference/metrics.md": metricsPage({
      router: routerMetricTable,
      worker: workerMetricTable,
      operator: operatorMetricTable,
    }),
    "docs/reference/config.md": configPage({ router: routerSettings, worker: workerSettings, operator: operatorSettings }),
  };
}

/** Pages on disk that are not what their tables say, a line each. */
export function stalePages(base = root): string[] {
  const onDisk = (path: string) => (existsSync(join(base, path)) ? readFileSync(join(base, path), "utf8") : undefined);
  return Object.entries(tablePages())
    .filter(([path, text]) => onDisk(path) !== text)
    .map(([path]) => `${path} is not what its table says`);
}
