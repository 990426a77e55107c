// thread: a thread that answers questions of capacity, one after the other: virtual time takes a processor to itself.
import { parentPort } from "node:worker_threads";
import { SlipstreamError } from "../../lib/errors.ts";
import { capacityOf, type Question, typed } from "./capacity.ts";

/** With a crowd: what it sees; without: how large it may be. */
export interface Asked {
  readonly question: Question;
  readonly people?: number;
}

const { signal } = new AbortController();

parentPort?.on("message", async ({ question, people }: Asked) => {
  try {
    const value = people === undefined ? await capacityOf(question, { signal }) : await typed(question, people, signal);
    parentPort?.postMessage({ value });
  } catch (thrown) {
    parentPort?.postMessage({ error: SlipstreamError.from(thrown).message });
  }
});
