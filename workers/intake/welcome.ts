// welcome: who this worker is and what it serves, as the first frame a router gets. Pure.
import { create } from "@bufbuild/protobuf";
import { type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Model } from "../generation.ts";
import type { Hello } from "./hello.ts";

export interface Identity {
  /** Stable over restarts. */
  readonly worker: string;
  readonly pool: string;
  /** New with each start. */
  readonly instance: string;
  /** Of the pool's template; "": not known. */
  readonly revision?: string;
}

export interface EngineFacts {
  readonly name: string;
  readonly models: readonly Model[];
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly blockTokens: number;
}

export function welcomeFrame(
  hello: Hello,
  limits: { readonly identity: Identity; readonly promptBytesMax: number; readonly maxTokensMax: number },
  facts: { readonly engine: EngineFacts; readonly kvSequence: bigint; readonly wantsPrefixes?: number },
): WorkerFrame {
  const { engine } = facts;
  const { identity, promptBytesMax, maxTokensMax } = limits;
  const value = {
    ...identity,
    protocol: hello.protocol,
    models: engine.models.map((model) => ({ ...model, fim: { ...model.fim }, specials: [...model.specials] })),
    capabilities: [...engine.capabilities, "prewarm"],
    blockTokens: engine.blockTokens,
    slots: engine.slots,
    engine: engine.name,
    promptBytesMax,
    maxTokensMax,
    kvSequence: facts.kvSequence,
    wantsPrefixes: facts.wantsPrefixes ?? 0,
  };
  return create(WorkerFrameSchema, { frame: { case: "welcome", value } });
}
