// external-metrics: what an adapter between Prometheus and an HPA is to the apiserver: it serves external.metrics.k8s.io over TLS, with
// values that a test gives. The apiserver is told of it by an APIService whose Service is this machine by name.
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { Authority } from "./certificates.ts";
import type { Loose } from "./cluster-objects.ts";

const group = "external.metrics.k8s.io";
const namespace = "slipstream-system";
const service = "external-metrics";

export class ExternalMetrics implements AsyncDisposable {
  readonly #server: Server;
  /** Paths that were asked for, by number of times. */
  readonly asked = new Map<string, number>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `value` of a metric, of the pool that the HPA's selector names; undefined: there is none. */
  static async start(value: (metric: string, pool: string) => Promise<number | undefined>): Promise<ExternalMetrics> {
    const authority = await Authority.create();
    const { cert, key } = await authority.issue({ hosts: ["localhost"] });
    const server = createServer({ cert, key });
    const made = new ExternalMetrics(server);
    server.on("request", (request, response) => {
      const url = new URL(request.url ?? "/", "https://localhost");
      made.asked.set(url.pathname, (made.asked.get(url.pathname) ?? 0) + 1);
      void answer(url, value).then((body) => {
        response.writeHead(body ? 200 : 404, { "content-type": "application/json" });
        response.end(JSON.stringify(body ?? { kind: "Status", apiVersion: "v1", status: "Failure", code: 404 }));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return made;
  }

  /** What the apiserver is to be told. */
  get objects(): readonly Loose[] {
    const { port } = this.#server.address() as AddressInfo;
    return [
      {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name: service, namespace } },
        spec: { type: "ExternalName", externalName: "localhost", ports: [{ port, protocol: "TCP" }] },
      },
      {
        ...{ apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: `v1beta1.${group}` } },
        spec: {
          ...{ group, version: "v1beta1", groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true },
          service: { name: service, namespace, port },
        },
      },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function answer(url: URL, value: (metric: string, pool: string) => Promise<number | undefined>): Promise<object | undefined> {
  const apiVersion = `${group}/v1beta1`;
  if (url.pathname === `/apis/${apiVersion}`) {
    const resource = { name: "slipstream_operator_in_system", singularName: "", namespaced: true, kind: "ExternalMetricValueList" };
    return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersion, resources: [{ ...resource, verbs: ["get"] }] };
  }
  const metric = /^\/apis\/[^/]+\/v1beta1\/namespaces\/[^/]+\/([^/]+)$/.exec(url.pathname)?.[1];
  const pool = /(?:^|,)pool=([^,]+)/.exec(url.searchParams.get("labelSelector") ?? "")?.[1] ?? "";
  const found = metric === undefined ? undefined : await value(metric, pool);
  if (found === undefined) return undefined;
  const item = {
    metricName: metric,
    metricLabels: { pool },
    timestamp: new Date().toISOString(),
    value: String(Math.round(found)),
  };
  return { kind: "ExternalMetricValueList", apiVersion, metadata: {}, items: [item] };
}
