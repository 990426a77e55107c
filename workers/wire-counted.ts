// wire-counted: an engine's URL in, its own count of the requests that run and wait there out, where it has one: what shows that a
// generation which was told to stop has stopped there too.
import { readFile } from "node:fs/promises";
import type { Clock } from "../lib/clock.ts";
import type { EngineKindName } from "./engine/contract/abilities.ts";
import { HttpEngine } from "./engine/http.ts";
import { readExposition } from "./engine/tensorrt/counters.ts";
import { readCounters } from "./engine/vllm/counters.ts";
import { countedGrpc } from "./engine/vllm/grpc/probe.ts";
import { GrpcWire } from "./engine/vllm/grpc/wire.ts";

export interface Counted {
  /** Undefined: it does not say. */
  readonly ask: () => Promise<number | undefined>;
  close(): void;
}

interface Page {
  readonly path: string;
  readonly read: (text: string) => { readonly running: number | undefined; readonly waiting: number | undefined };
}

/** TensorRT-LLM's other page of figures is gone when it is read, and the agent reads it. */
const pages: Readonly<Partial<Record<EngineKindName, Page>>> = {
  vllm: { path: "/metrics", read: readCounters },
  tensorrt: { path: "/prometheus/metrics", read: readExposition },
};

interface Deps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Undefined: engines of the kind have none. */
export async function countedThere(url: string, keyFile: string, kind: EngineKindName, deps: Deps): Promise<Counted | undefined> {
  if (kind === "vllm_grpc") {
    const wire = new GrpcWire({ url }, deps);
    return { ask: () => countedGrpc(wire, deps.signal), close: () => wire.close() };
  }
  const page = pages[kind];
  if (!page) return undefined;
  const key = keyFile === "" ? "" : (await readFile(keyFile, "utf8")).trim();
  const http = new HttpEngine({ url, key, connectionsMax: 2 }, deps);
  const ask = async () => {
    const answer = await http.ask(page.path, undefined, { signal: deps.signal }).catch(() => undefined);
    if (answer?.status !== 200) return undefined;
    const { running, waiting = 0 } = page.read(answer.text);
    return running === undefined ? undefined : running + waiting;
  };
  return { ask, close: () => http.close() };
}
