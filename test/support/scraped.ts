// scraped: monitors of the chart in, a Prometheus that scrapes by them out, beside a cluster; and what it answers. Its operator is not
// here, and Debian's build of Prometheus has no discovery of Kubernetes: what both would tell it of a monitor is told here, once.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Cluster } from "../../tools/cluster/cluster.ts";
import { findTool } from "../../tools/toolbox.ts";
import type { Loose } from "./cluster-objects.ts";

export const prometheus = findTool("prometheus");

const address = "127.0.0.1:9090";
const labelOf = (name: string) => name.replace(/[^a-zA-Z0-9_]/g, "_");

/** A place that could be scraped, with what Prometheus' own discovery would tell of it. */
interface Target {
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
}

const labelled = (of: "pod" | "service", labels: Loose = {}) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${of}_label_${labelOf(name)}`, String(value)]));

/** Every port of every container, as of the role "pod". */
const targetsOfPods = (pods: readonly Loose[]): Target[] =>
  pods.flatMap(({ metadata, spec, status }) =>
    [...spec.containers, ...(spec.initContainers ?? [])]
      .flatMap(({ ports = [] }: Loose) => ports as Loose[])
      .map(({ name, containerPort }) => ({
        address: `${status.podIP}:${containerPort}`,
        meta: { namespace: metadata.namespace, pod_container_port_name: name, ...labelled("pod", metadata.labels) },
      })),
  );

/** Every port of every Service, as of the role "endpointslice"; a slice bears its Service's labels. */
const targetsOfSlices = (slices: readonly Loose[]): Target[] =>
  slices.flatMap(({ metadata, endpoints, ports }) =>
    ((endpoints ?? []) as Loose[]).flatMap(({ addresses }) =>
      ((ports ?? []) as Loose[]).map(({ name, port }) => ({
        address: `${addresses[0]}:${port}`,
        meta: { namespace: metadata.namespace, endpoint_port_name: name, ...labelled("service", metadata.labels) },
      })),
    ),
  );

/** One job of a ServiceMonitor or a PodMonitor with one endpoint; `key` is what its credentials name. */
function jobOf({ kind, metadata, spec }: Loose, key: string, targets: readonly Target[]): Loose {
  const pods = kind === "PodMonitor";
  const { port, scheme, interval, tlsConfig, authorization, ...other }: Loose = (spec.podMetricsEndpoints ?? spec.endpoints)[0];
  if (!authorization || Object.keys(other).length > 0)
    throw new Error(`${metadata.name}: unknown words: ${Object.keys(other).join(", ")}`);
  const names: string[] = spec.namespaceSelector?.matchNames ?? [metadata.namespace];
  const meta = (name: string) => `__meta_kubernetes_${name}`;
  const keep = (label: string, regex: string) => ({ action: "keep", source_labels: [meta(label)], regex });
  return {
    ...{ job_name: metadata.name, scheme, scrape_interval: interval, scrape_timeout: interval },
    tls_config: { insecure_skip_verify: tlsConfig.insecureSkipVerify },
    authorization: { credentials: key },
    static_configs: targets.map((each) => ({
      targets: [each.address],
      labels: Object.fromEntries(Object.entries(each.meta).map(([name, value]) => [meta(name), value])),
    })),
    relabel_configs: [
      ...(spec.namespaceSelector?.any ? [] : [keep("namespace", names.join("|"))]),
      ...Object.entries(spec.selector.matchLabels as Record<string, string>).map(([name, value]) =>
        keep(`${pods ? "pod" : "service"}_label_${labelOf(name)}`, value),
      ),
      keep(pods ? "pod_container_port_name" : "endpoint_port_name", port),
      ...((spec.podTargetLabels ?? []) as string[]).map((name) => ({
        ...{ source_labels: [meta(`pod_label_${labelOf(name)}`)], target_label: labelOf(name) },
      })),
    ],
  };
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Runs until the cluster ends. */
export class Scraper {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, monitors: readonly Loose[]) {
    this.#cluster = cluster;
    const folder = join(cluster.sandbox.folder, "prometheus");
    mkdirSync(folder);
    const all = (kind: string) => JSON.parse(cluster.kubectl(["get", kind, "-A", "-o", "json"])).items as Loose[];
    const [pods, slices] = [targetsOfPods(all("pods")), targetsOfSlices(all("endpointslices"))];
    const jobs = monitors.map((monitor) => {
      const { name, key }: Loose = (monitor.spec.podMetricsEndpoints ?? monitor.spec.endpoints)[0].authorization.credentials;
      const { data } = JSON.parse(cluster.kubectl(["get", "secret", name, "-n", monitor.metadata.namespace, "-o", "json"]));
      return jobOf(monitor, Buffer.from(data[key], "base64").toString(), monitor.kind === "PodMonitor" ? pods : slices);
    });
    const config = join(folder, "prometheus.yaml");
    writeFileSync(config, stringify({ scrape_configs: jobs }), { mode: 0o600 });
    cluster.sandbox.serve("prometheus", [
      ...[prometheus.path as string, "--config.file", config, "--storage.tsdb.path", join(folder, "series")],
      ...["--web.listen-address", address, "--log.level", "warn"],
    ]);
  }

  ask(query: string): Series[] {
    const words = ["curl", "-sS", "--fail", "--data-urlencode", `query=${query}`, `http://${address}/api/v1/query`];
    const { data } = JSON.parse(this.#cluster.sandbox.run(words));
    return (data.result as Loose[]).map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }
}
