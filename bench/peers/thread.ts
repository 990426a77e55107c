// thread: a thread that lets crowds type in virtual time, one after the other: it takes a processor to itself.
import { parentPort } from "node:worker_threads";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Question, typed } from "./capacity.ts";

/** What does a crowd of that size see? */
export interface Asked {
  readonly question: Question;
  readonly people: number;
}

const { signal } = new AbortController();

parentPort?.on("message", async ({ question, people }: Asked) => {
  try {
    parentPort?.postMessage({ value: await typed(question, people, signal) });
  } catch (thrown) {
    parentPort?.postMessage({ error: SlipstreamError.from(thrown).message });
  }
});
