// thread: a thread that lets crowds type in virtual time, one after the other: it takes a processor to itself.
import { parentPort } from "node:worker_threads";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Question, typed } from "./capacity.ts";

/** What does a crowd of that size see? */
export interface Asked {
  readonly question: Question;
  readonly people: number;
  /** Only until it is clear whether they are served. */
  readonly brief: boolean;
}

const { signal } = new AbortController();

parentPort?.on("message", async ({ question, people, brief }: Asked) => {
  try {
    parentPort?.postMessage({ value: await typed(question, people, brief, signal) });
  } catch (thrown) {
    parentPort?.postMessage({ error: SlipstreamError.from(thrown).message });
  }
});
