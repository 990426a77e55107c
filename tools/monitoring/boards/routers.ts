// routers: what people feel, what waits, what it costs and who is there, as the routers measure it.
import { targetSeconds } from "../alerts.ts";
import { boardScope, Query, router, share } from "../query.ts";
import { type Board, quantiles } from "./board.ts";

const q = new Query(boardScope);
const inline = router("first_text_seconds", { lane: "inline" });

export const routers: Board = {
  slug: "routers",
  title: "Slipstream · routers",
  rows: [
    {
      title: "What people feel",
      plots: [
        {
          title: "First text, inline",
          about: "From a trigger to the first text that could be shown. Beyond the line people type on without it.",
          ...{ unit: "s", target: targetSeconds, queries: quantiles(q, inline) },
        },
        {
          title: "How triggers ended",
          about: "Superseded is the normal end of a key that another one followed. Failed and expired are what people notice.",
          ...{ unit: "reqps", stacked: true, queries: [["{{outcome}}", q.rate(router("outcomes_total"), "outcome")]] },
        },
        {
          title: "Errors",
          about: "Of failed triggers, by code (docs/reference/errors.md).",
          ...{ unit: "reqps", queries: [["{{code}}", q.rate(router("errors_total"), "code")]] },
        },
        {
          title: "Accepted of what was shown",
          about: "Characters that were accepted, by the shape asked for.",
          unit: "percentunit",
          queries: [
            [
              "{{shape}}",
              share(q.rate(router("accepted_characters_total"), "shape"), q.rate(router("shown_characters_total"), "shape")),
            ],
          ],
        },
      ],
    },
    {
      title: "What waits",
      plots: [
        {
          title: "Waiting for a worker",
          about: "Triggers in the router's queue. They wait here, not in an engine, so that what is superseded costs nothing.",
          ...{ unit: "short", stacked: true, queries: [["{{lane}}", q.sum(router("queued"), "lane")]] },
        },
        {
          title: "Time in the queue",
          about: "95 % waited no longer.",
          ...{ unit: "s", queries: [["{{lane}}", q.quantile(0.95, router("queue_seconds"), "lane")]] },
        },
        {
          title: "Refused, and shortened to be in time",
          about:
            "Full: the queue's bound. Late: no worker could answer before the deadline. Shortened: a smaller wish was asked instead.",
          unit: "reqps",
          queries: [
            ["{{lane}}, {{why}}", q.rate(router("queue_refused_total"), "lane", "why")],
            ["shortened: {{how}}", q.rate(router("shortened_total"), "how")],
            ["quota: {{quota}}", q.rate(router("quota_refused_total"), "quota")],
          ],
        },
        {
          title: "Workers' slots",
          about: "Wanted: idle while something waited here, which is this router's loss.",
          ...{ unit: "short", stacked: true, queries: [["{{state}}", q.rate(router("slot_seconds_total"), "state")]] },
        },
      ],
    },
    {
      title: "What it costs",
      plots: [
        {
          title: "Prompt tokens",
          about:
            "Cached ones were still in a worker's memory. Many computed ones: sessions move, or prompts change at their beginning.",
          ...{ unit: "short", stacked: true, queries: [["{{kv}}", q.rate(router("prompt_tokens_total"), "kv")]] },
        },
        {
          title: "Computed anew for a trigger",
          about: "Prompt tokens computed, over the triggers that a worker answered.",
          unit: "short",
          queries: [
            [
              "tokens",
              share(
                q.rate(router("prompt_tokens_total", { kv: "recomputed" })),
                q.rate(router("outcomes_total", { outcome: "generated|joined|empty|superseded" })),
              ),
            ],
          ],
        },
        {
          title: "Drafts",
          about: "Tokens guessed ahead of the model, by what became of them.",
          ...{ unit: "short", stacked: true, queries: [["{{fate}}", q.rate(router("drafted_tokens_total"), "fate")]] },
        },
        {
          title: "Engine time by what became of its text",
          about: "Everything but shown was computed for nobody. Split by pool.",
          ...{
            unit: "percentunit",
            stacked: true,
            queries: [["{{fate}}", q.rate(router("value_engine_seconds_total", { by: "pool" }), "fate")]],
          },
        },
      ],
    },
    {
      title: "Who is there",
      plots: [
        {
          title: "Sessions and documents",
          about: "Open session streams, and the documents mirrored for them.",
          ...{
            unit: "short",
            queries: [
              ["sessions", q.sum(router("sessions"))],
              ["documents", q.sum(router("documents"))],
            ],
          },
        },
        {
          title: "Links to workers",
          about: "Down: made anew, or a worker that went. Left alone: workers whose generations end badly.",
          ...{
            unit: "short",
            queries: [
              ["{{state}}", q.sum(router("links"), "state")],
              ["left alone", q.sum(router("workers_barred"))],
            ],
          },
        },
        {
          title: "Asked of another worker",
          about: "Generations that one lost or refused, and second workers for those that stall.",
          unit: "reqps",
          queries: [
            ["{{when}}", q.rate(router("worker_retries_total"), "when")],
            ["hedge {{end}}", q.rate(router("hedges_total"), "end")],
          ],
        },
        {
          title: "Bus and outcomes",
          about: "Without the bus all goes on; outcomes wait here.",
          unit: "short",
          queries: [
            ["connected", q.sum(router("bus_connected"))],
            ["outcomes waiting", q.sum(router("outcome_events_waiting"))],
            ["other routers", q.max(router("peers"))],
          ],
        },
      ],
    },
  ],
};
