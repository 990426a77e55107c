// front-process: the workers of one side of the comparison: pretend GPUs in dilated time behind OpenAI-compatible servers of their
// own ports, counted. They share a process so that many sides fit a machine at once.
import { systemClock } from "../../lib/clock.ts";
import { dilatedClock } from "../../sim/dilated-clock.ts";
import { runChild } from "../keys/child.ts";
import { pretend } from "../keys/pretend.ts";
import type { FleetOptions } from "./fleet.ts";
import { Front } from "./front.ts";
import { Serving, type ServingFigures } from "./serving.ts";
import { peerSources } from "./sources.ts";

export type FrontOrders = Pick<FleetOptions, "profile" | "end" | "agreement" | "workers" | "slots" | "seed"> & {
  readonly dilation: number;
};

/** By worker. */
export type FrontFigures = { readonly workers: readonly ServingFigures[] };

await runChild(async (given, lifecycle) => {
  const orders = given as FrontOrders;
  const clock = dilatedClock(systemClock, orders.dilation);
  const texts = peerSources().map(({ text }) => text);
  const workers = Array.from({ length: orders.workers }, (_, i) => {
    const engine = pretend({ ...orders, profileEnd: orders.end, texts, suffixFirst: true }, { clock });
    return new Serving(`w${i}`, engine, { clock });
  });
  const fronts = workers.map((serving) => new Front(serving));
  const ports = await Promise.all(fronts.map((front) => front.listen()));
  for (const [i, front] of fronts.entries()) lifecycle.use({ name: `front ${i}`, close: () => front.close() });
  return { port: ports[0] ?? 0, ports, take: (): FrontFigures => ({ workers: workers.map((each) => each.take()) }) };
});
