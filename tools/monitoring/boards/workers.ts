// workers: generations, engines and speculation, as the worker agents measure it.
import { boardScope, Query, share, worker } from "../query.ts";
import { type Board, quantiles } from "./board.ts";

const q = new Query(boardScope);

export const workers: Board = {
  slug: "workers",
  title: "Slipstream · workers",
  rows: [
    {
      title: "Generations",
      plots: [
        {
          title: "How generations ended",
          about: "Cancelled is normal: a key retired them.",
          ...{ unit: "reqps", stacked: true, queries: [["{{end}}", q.rate(worker("generations_total"), "end")]] },
        },
        {
          title: "First delta",
          about: "From a Submit to the first piece of text, 95 %.",
          ...{ unit: "s", queries: [["{{lane}}", q.quantile(0.95, worker("first_delta_seconds"), "lane")]] },
        },
        {
          title: "From Cancel to the engine's stop",
          about: "What is computed after a Cancel is lost.",
          ...{ unit: "s", queries: quantiles(q, worker("abort_seconds")) },
        },
        {
          title: "Running and slots",
          about: "Usable: as many as keep a decode step within its budget.",
          unit: "short",
          queries: [
            ["running", q.sum(worker("running"))],
            ["waiting, {{lane}}", q.sum(worker("waiting"), "lane")],
            ["slots", q.sum(worker("slots"))],
            ["usable", q.sum(worker("batch_max"))],
          ],
        },
      ],
    },
    {
      title: "The engine",
      plots: [
        {
          title: "A decode step",
          about: "The mean over the workers, of late.",
          ...{ unit: "s", queries: [["step", q.avg(worker("step_seconds"))]] },
        },
        {
          title: "Prompt tokens a second",
          about: "How fast prompts are computed, of late.",
          ...{ unit: "short", queries: [["prefill", q.avg(worker("prefill_tokens_per_second"))]] },
        },
        {
          title: "KV blocks in use",
          about: "Near 100 % beginnings of prompts are dropped, and computed anew for the next key.",
          ...{
            unit: "percentunit",
            queries: [["used", share(q.sum(worker("kv_blocks", { state: "used" })), q.sum(worker("kv_blocks", { state: "all" })))]],
          },
        },
        {
          title: "Prompt tokens",
          about: "By whether their KV was resident.",
          ...{ unit: "short", stacked: true, queries: [["{{kv}}", q.rate(worker("prompt_tokens_total"), "kv")]] },
        },
      ],
    },
    {
      title: "Speculation",
      plots: [
        {
          title: "Accepted by position",
          about:
            "Share of drafted tokens that the model would have said too. Where it falls low, drafting further costs more than it gives.",
          ...{ unit: "percentunit", queries: [["token {{position}}", q.avg(worker("speculation_accepted_share"), "position")]] },
        },
        {
          title: "Drafted tokens",
          about: "By what became of them.",
          ...{ unit: "short", stacked: true, queries: [["{{fate}}", q.rate(worker("drafted_tokens_total"), "fate")]] },
        },
        {
          title: "Why steps drafted as they did",
          about: "docs/operations/speculation.md",
          ...{ unit: "ops", stacked: true, queries: [["{{why}}", q.rate(worker("speculation_choices_total"), "why")]] },
        },
        {
          title: "Tokens generated",
          about: "By how their generation ended.",
          ...{ unit: "short", stacked: true, queries: [["{{end}}", q.rate(worker("completion_tokens_total"), "end")]] },
        },
      ],
    },
  ],
};
