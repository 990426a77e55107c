// plots: the questions of the live view, a plot each, and what of a point answers it.
import type { LiveHead } from "../../lib/live.ts";
import type { Point } from "../../lib/live-history.ts";
import { nameOf, time } from "../words.ts";
import { Plot } from "./plot.ts";

interface Question {
  readonly plot: Plot;
  readonly lines: (points: readonly Point[]) => (number | null)[][];
  readonly note: (last: Point | undefined) => string;
}

const outcomeLines = [
  ["typed_ahead", "--kind-1"],
  ["cached", "--kind-2"],
  ["joined", "--kind-3"],
  ["generated", "--kind-8"],
  ["superseded", "--kind-5"],
  ["gated", "--kind-9"],
  ["empty", "--kind-4"],
  ["cancelled", "--kind-10"],
  ["expired", "--kind-6"],
  ["refused", "--kind-11"],
  ["failed", "--kind-7"],
] as const;
const laneLines = [
  ["inline", "--kind-1"],
  ["chat", "--kind-8"],
  ["speculative", "--kind-3"],
  ["batch", "--kind-5"],
] as const;
const spentLines = [
  ["shown", "--kind-1"],
  ["superseded", "--kind-5"],
  ["late", "--kind-6"],
  ["speculative", "--kind-3"],
  ["empty", "--kind-4"],
  ["hedged", "--kind-8"],
  ["other", "--kind-7"],
] as const;

const percent = (share: number) => `${Math.round(share * 100)} %`;
const count = (value: number) => (value >= 9.95 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));
const none = () => "";

export function plotsOf({ targetMs }: LiveHead): Question[] {
  const each =
    (names: readonly (readonly [string, string])[], of: (point: Point) => Readonly<Record<string, number>> | null) =>
    (points: readonly Point[]) =>
      names.map(([name]) => points.map((point) => (of(point) === null ? null : (of(point)?.[name] ?? 0))));
  const lines = (names: readonly (readonly [string, string])[], say: (name: string) => string = (name) => name) =>
    names.map(([name, colour]) => ({ name: say(name), colour }));
  return [
    {
      plot: new Plot({
        title: "First text, inline",
        about:
          "Milliseconds from a trigger to the first text that could be shown: median, 95th and 99th percentile, and the target of the 95th.",
        lines: [
          { name: "p50", colour: "--p50" },
          { name: "p95", colour: "--p95" },
          { name: "p99", colour: "--p99", dashed: true },
        ],
        value: time,
        atLeast: 20,
        target: { at: targetMs, name: `target ${time(targetMs)}` },
      }),
      lines: (points) => [points.map(({ p50 }) => p50), points.map(({ p95 }) => p95), points.map(({ p99 }) => p99)],
      note: none,
    },
    {
      plot: new Plot({
        title: "How triggers ended",
        about: "Triggers a second, by outcome. Superseded is the normal end of a key that another one followed.",
        lines: lines(outcomeLines, nameOf),
        stacked: true,
        value: count,
        atLeast: 1,
      }),
      lines: each(outcomeLines, ({ outcomes }) => outcomes),
      note: () => "a second",
    },
    {
      plot: new Plot({
        title: "Waiting",
        about: "Triggers in the router's queue, by lane, and what one that came now would wait.",
        lines: lines(laneLines),
        stacked: true,
        value: count,
        atLeast: 4,
      }),
      lines: each(laneLines, ({ queued }) => queued),
      note: (last) => (last && last.waitMs > 0 ? `${time(last.waitMs)} for the next` : "no wait for the next"),
    },
    {
      plot: new Plot({
        title: "Computed a key",
        about: "Of the prompts' tokens those that no worker still held, over all keys. A dozen is a prompt that stays as it was.",
        lines: [{ name: "prompt tokens", colour: "--p50" }],
        value: count,
        atLeast: 20,
      }),
      lines: (points) => [points.map(({ computedPerKey }) => computedPerKey)],
      note: (last) => (last?.reuse === null || last === undefined ? "" : `${percent(last.reuse)} of the prompt was held`),
    },
    {
      plot: new Plot({
        title: "Drafts accepted",
        about: "Share of the tokens guessed ahead that the model would have said too.",
        lines: [{ name: "accepted", colour: "--p50" }],
        value: percent,
        atLeast: 1,
        atMost: 1,
      }),
      lines: (points) => [points.map(({ accepted }) => accepted)],
      note: none,
    },
    {
      plot: new Plot({
        title: "Engine time went to",
        about: "Shares of the engine time of late, by what became of the text. All but shown was computed for nobody.",
        lines: lines(spentLines),
        stacked: true,
        value: percent,
        atLeast: 1,
        atMost: 1,
      }),
      lines: each(spentLines, ({ spent }) => spent),
      note: none,
    },
  ];
}
