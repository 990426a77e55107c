// metrics: every metric of the operator: its own as slipstream_operator_<name>, and those of its work with the apiserver under the
// names that client-go gives them, so that stock dashboards show them.
import { counter, createMetrics, createNamed, gauge, histogram, type Metrics, type Registry } from "../lib/metrics.ts";

const apiBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export const operatorMetricTable = {
  reconciles_total: counter("Runs of the path, by kind of object and how they ended.", ["kind", "end"]),
  reconcile_seconds: histogram("Time of one run of the path.", ["kind"], apiBuckets),
  applies_total: counter("Objects that were to be applied, by kind and whether anything had to be sent.", ["kind", "sent"]),
  removals_total: counter("Objects removed, by kind.", ["kind"]),
  ready: gauge("1: the object is Ready; 0: it is not.", ["kind", "namespace", "name"]),
  replicas: gauge("Workers of a pool, by state.", ["namespace", "pool", "state"]),
  first_text_p95_seconds: gauge("95th percentile of the first useful text of a pool, as routers report it.", ["namespace", "pool"]),
  in_system: gauge("Triggers of a pool that wait or are under way, of all routers: for an HPA or KEDA that owns `replicas`.", [
    "namespace",
    "pool",
  ]),
  load_per_second: gauge("Triggers a second of a pool.", ["namespace", "pool"]),
  slo_capacity_per_second: gauge("Triggers a second that one worker of a pool serves within its target, as learned.", [
    "namespace",
    "pool",
  ]),
  recommended_replicas: gauge("Workers that the load asks for, whoever decides.", ["namespace", "pool"]),
  certificates_issued_total: counter("Certificates issued for links.", ["for"]),
  signals_total: counter("Messages of routers and workers taken from the bus.", ["kind"]),
} as const;

export const clientMetricTable = {
  workqueue_depth: gauge("Keys that wait.", ["name"]),
  workqueue_adds_total: counter("Keys added.", ["name"]),
  workqueue_queue_duration_seconds: histogram("Time from adding a key to its run.", ["name"], apiBuckets),
  workqueue_work_duration_seconds: histogram("Time of a key's run.", ["name"], apiBuckets),
  workqueue_retries_total: counter("Keys that come again after a failure.", ["name"]),
  rest_client_requests_total: counter("Calls to the Kubernetes API, by status.", ["code", "method"]),
  rest_client_request_duration_seconds: histogram("Time of a call to the Kubernetes API.", ["verb"], apiBuckets),
  rest_client_rate_limiter_duration_seconds: histogram("Time that a call waited for its turn.", [], apiBuckets),
  reflector_lists_total: counter("Lists of a kind.", ["name"]),
  reflector_list_duration_seconds: histogram("Time of a list.", ["name"], apiBuckets),
  reflector_watches_total: counter("Watches of a kind that were begun.", ["name"]),
  reflector_last_resource_version: gauge("Version up to which a kind is followed.", ["name"]),
  leader_election_master_status: gauge("1: this one leads.", ["name"]),
} as const;

export type OperatorMetrics = Metrics<typeof operatorMetricTable>;
export type ClientMetrics = Metrics<typeof clientMetricTable>;

export function createOperatorMetrics(registry?: Registry): OperatorMetrics & { readonly client: ClientMetrics } {
  return { ...createMetrics("operator", operatorMetricTable, registry), client: createNamed("", clientMetricTable, registry) };
}
