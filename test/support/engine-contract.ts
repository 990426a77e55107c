// engine-contract: an engine that a suite starts in, a test for each item of the contract (workers/engine/contract) out. The same list for
// pretended engines in `npm test` and real ones in `npm run test:system`.
import { afterAll, beforeAll, describe, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { contractFor, type Subject } from "../../workers/engine/contract/contract.ts";

export interface Started extends Omit<Subject, "kind" | "has" | "clock"> {
  /** Ends what was started beside the engine, and the engine. */
  close(): Promise<unknown>;
}

export interface Stand extends Pick<Subject, "kind" | "has"> {
  readonly name: string;
  readonly start: () => Promise<Started>;
  /** False: others go on with it afterwards (default true). */
  readonly mayKill?: boolean;
  readonly startMs?: number;
}

const checkMs = 60_000;

export function engineContract({ name, kind, has = [], start, mayKill = true, startMs = 60_000 }: Stand): void {
  describe(name, () => {
    let started: Started;
    beforeAll(async () => {
      started = await start();
    }, startMs);
    afterAll(() => started?.close());
    for (const { name: sentence, check } of contractFor({ kind, has, mayKill }))
      test(sentence, () => check({ ...started, kind, has, clock: systemClock }), checkMs);
  });
}
