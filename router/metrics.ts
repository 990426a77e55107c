// metrics: every metric of the router, as slipstream_router_<name>. Rooms take the slice they need.

import { credentialMetrics } from "../lib/credentials.ts";
import { counter, createMetrics, gauge, histogram, type Metrics, type Registry } from "../lib/metrics.ts";

export const routerMetricTable = {
  outcomes_total: counter("How triggers ended.", ["lane", "outcome"]),
  errors_total: counter("Errors of failed triggers, by code of docs/reference/errors.md.", ["code"]),
  first_text_seconds: histogram("From receipt of a trigger to the first text that could be shown.", ["lane"]),
  total_seconds: histogram("From receipt of a trigger to its end.", ["lane", "outcome"]),
  settle_seconds: histogram("Time waited for the person to pause.", []),
  queue_seconds: histogram("Time waited in the router's queue for a worker's credit.", ["lane"]),
  queued: gauge("Triggers waiting for a worker's credit.", ["lane"]),
  queued_bytes: gauge("Memory of what waits there.", []),
  queue_refused_total: counter(
    'Generations refused because the queue was full ("full"), or because no worker could answer before the deadline ("late").',
    ["lane", "why"],
  ),
  shortened_total: counter("Triggers that were shortened to be in time, by how.", ["how"]),
  slot_seconds_total: counter(
    "Time of the workers' slots as this router sees them: in use, idle while something waited here (wanted), idle.",
    ["state"],
  ),
  prompt_expectations_total: counter(
    "Prompts whose recomputed tokens were within a block of the engine (16 at least) of what the router expected, or not.",
    ["fit"],
  ),
  prompt_tokens_total: counter("Prompt tokens of ended generations, cancelled ones included.", ["kv"]),
  completion_tokens_total: counter("Tokens generated, by whether their text reached a live trigger.", ["fate"]),
  drafted_tokens_total: counter("Tokens drafted by speculation, by what became of them.", ["fate"]),
  quota_refused_total: counter("Sessions, triggers and generations that a tenant's quota refused.", ["quota"]),
  sessions: gauge("Open session streams.", []),
  sessions_opened_total: counter("Session streams opened, by whether an earlier one's documents were still held.", ["how"]),
  session_notices_total: counter("Streams that were asked to connect anew, by why.", ["why"]),
  documents: gauge("Documents mirrored for open sessions.", []),
  parked_sessions: gauge("Ended streams whose documents are kept for a client that comes back.", []),
  parked_bytes: gauge("Text of their documents.", []),
  links: gauge("Links to workers, by state.", ["state"]),
  link_reconnects_total: counter("Links that broke and were made anew.", []),
  worker_retries_total: counter(
    "Generations that a worker lost or refused and another one was asked for: anew before their first delta, from where their text ended after it.",
    ["when"],
  ),
  hedges_total: counter(
    "Second workers asked for generations whose first one stalled: sent, then won or lost; not_sent where none was free or the share was used up.",
    ["end"],
  ),
  breaker_opened_total: counter("Workers left alone for a while, by why.", ["why"]),
  workers_barred: gauge("Workers that are left alone now.", []),
  prewarms_total: counter(
    "Prompts that workers were asked to compute ahead: of sessions and beginnings of a worker that leaves, of beginnings for one that joined.",
    ["why", "end"],
  ),
  handed_over_total: counter(
    "Sessions of workers that said they would leave: moved to another one after their prompt was computed there (warm), or left to move without (cold).",
    ["end"],
  ),
  cancels_total: counter("Cancels sent to workers.", ["cause"]),
  cancel_ack_seconds: histogram("From Cancel on the link to the worker's CancelAck.", []),
  result_cache_lookups_total: counter("Lookups in the finished-result cache.", ["result"]),
  workers_found: gauge("Addresses of workers, by where they were found.", ["source"]),
  bus_connected: gauge("1: the bus is there; 0: signals degrade, outcomes wait.", []),
  peers: gauge("Other routers heard on the bus within the last seconds.", []),
  peer_messages_total: counter("Messages between routers, by what became of them.", ["kind", "fate"]),
  policy_version: gauge("Version of the policy document in effect; 0: none.", []),
  policy_loads_total: counter("Texts of the policy document, by whether they took effect.", ["result"]),
  outcome_events_total: counter("Outcomes and reports for the bus: stored there, or dropped.", ["fate"]),
  outcome_events_waiting: gauge("Outcomes and reports that wait for the bus to store them.", []),
  feedback_total: counter("Reports of shown completions, by event and by the shape that was asked for.", ["event", "shape"]),
  feedback_without_effect_total: counter("Reports that no completion is known for, or that cannot follow those before.", [
    "event",
    "why",
  ]),
  shown_characters_total: counter("UTF-16 units of completions that were reported on, once each.", ["shape"]),
  accepted_characters_total: counter("UTF-16 units that were accepted of them.", ["shape"]),
  value_engine_seconds_total: counter(
    "Engine time by what became of its text, split by pool, by tenant and by language: each split is all of it. Engines that do not say their time are not in it.",
    ["by", "of", "fate"],
  ),
  value_tokens_total: counter("Tokens decoded and prompt tokens computed, split the same way.", ["by", "of", "fate"]),
  value_accepted_engine_seconds_total: counter("Of the engine time whose text was shown: what was accepted of it.", ["by", "of"]),
  value_accepted_tokens_total: counter("Of the tokens whose text was shown: what was accepted of them.", ["by", "of"]),
  value_accepted_characters_total: counter("UTF-16 units that were accepted, typed along or taken at once.", ["by", "of"]),
  shown_seconds: histogram("How long a completion stood until it was accepted or let go.", ["event"]),
  http_connections_dropped_total: counter("HTTP connections closed because there were too many.", []),
  ...credentialMetrics,
} as const;

export type RouterMetrics = Metrics<typeof routerMetricTable>;

export function createRouterMetrics(registry?: Registry): RouterMetrics {
  return createMetrics("router", routerMetricTable, registry);
}
