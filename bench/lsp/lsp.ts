// lsp: what a person waits for at the language server: a first completion after the editor was started in a large folder, and what
// the server itself adds between a key and the router. Real processes over real pipes and loopback.
import { systemClock as clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import { FeedbackEvent } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { percentile } from "../../sim/statistics.ts";
import { startUp } from "../k6/target.ts";
import { type Folder, makeFolder } from "./folder.ts";
import { type RouterEnd, startRouterEnd } from "./router-end.ts";
import { Served } from "./served.ts";

export interface LspOptions {
  readonly files: number;
  readonly rounds: number;
  readonly keys: number;
  readonly pauseMs: number;
  readonly seed: number;
}

interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface LspReport {
  readonly folder: { readonly files: number; readonly mib: number };
  /** From the start of the language server's process to the first text. */
  readonly cold_ms: { readonly router_there: Spread; readonly router_started: Spread };
  /** From the key that is written to the server's pipe to the Trigger that arrives at the router. */
  readonly key_to_trigger_ms: { readonly while_reading_the_folder: Spread; readonly after: Spread };
  /** From the key to the answer in the editor; the router takes no time. */
  readonly key_to_answer_ms: Spread;
  readonly cancel_ms: { readonly to_router: Spread; readonly answered: Spread };
  readonly feedback_ms: { readonly shown: Spread; readonly partial: Spread; readonly accepted: Spread };
}

const text = `${'import { work } from "./area0/part0/file0";\n'.repeat(20)}\nexport function run(list: number[]) {\n  \n}\n`;
const line = 22;
/** After it nobody waits any more. */
const firstWithinMs = 30_000;

export async function benchLsp(options: LspOptions, deps: Deps): Promise<LspReport> {
  using folder = makeFolder(options.files, seeded(options.seed));
  deps.say(`a folder of ${folder.files} files, ${(folder.bytes / (1 << 20)).toFixed(1)} MiB`);
  const there: number[] = [];
  const up = await startUp();
  try {
    for (let round = 0; round < options.rounds && !deps.signal.aborted; round++) {
      there.push(await firstText(folder, up.grpc, false));
      deps.say(`first text with a router there: ${there.at(-1)?.toFixed(0)} ms`);
    }
  } finally {
    await up.end();
  }
  const started: number[] = [];
  for (let round = 0; round < options.rounds && !deps.signal.aborted; round++) {
    started.push(await firstText(folder, await freeAddress(), true));
    deps.say(`first text with the router started by the server: ${started.at(-1)?.toFixed(0)} ms`);
  }
  const keys = await typing(folder, options, deps);
  return {
    folder: { files: folder.files, mib: Math.round((folder.bytes / (1 << 20)) * 10) / 10 },
    cold_ms: { router_there: spread(there), router_started: spread(started) },
    ...keys,
  };
}

async function firstText(folder: Folder, address: string, start: boolean): Promise<number> {
  const beganMs = clock.now();
  const served = new Served({ address, folder: folder.path, start });
  try {
    await served.open(text);
    // As a person does it who asks again where nothing came.
    while (clock.now() - beganMs < firstWithinMs) {
      if ((await served.ask(line, 2, true)).length > 0) return clock.now() - beganMs;
      await clock.sleep(20);
    }
    throw new SlipstreamError("deadline_exceeded", `no completion in ${firstWithinMs / 1_000} s`);
  } finally {
    await served.end();
  }
}

/** An address where nobody listens. */
async function freeAddress(): Promise<string> {
  using end = await startRouterEnd();
  return end.address;
}

async function typing(folder: Folder, { keys, pauseMs }: LspOptions, { signal, say }: Deps) {
  using router = await startRouterEnd();
  const served = new Served({ address: router.address, folder: folder.path, start: false });
  try {
    const welcome = router.next("hello");
    await served.open(text);
    await welcome;
    let character = 2;
    const answered: number[] = [];
    const key = async (): Promise<number> => {
      const arrived = router.next("trigger");
      const sentMs = clock.now();
      served.type(line, character++, "a");
      const answer = served.ask(line, character, false);
      const arrivedMs = await arrived;
      await answer;
      answered.push(clock.now() - sentMs);
      return arrivedMs - sentMs;
    };
    const series = async (what: string, count: number, one: () => Promise<number>): Promise<Spread> => {
      say(`${what}: ${count}`);
      const values: number[] = [];
      for (let i = 0; i < count && !signal.aborted; i++) {
        values.push(await one());
        await clock.sleep(pauseMs);
      }
      return spread(values);
    };
    // The folder is read in the background from the first moment on.
    const reading = await series("keys while the folder is read", Math.min(keys, 100), key);
    await clock.sleep(Math.min(5_000, folder.files / 2));
    answered.length = 0;
    const after = await series("keys", keys, key);
    const keyToAnswer = spread(answered);
    const some = Math.max(1, Math.round(keys / 4));
    const feedback = {
      shown: await series("shown", some, () => reported(served, router, character++, "shown")),
      partial: await series("partial", some, () => reported(served, router, character++, "partial")),
      accepted: await series("accepted", some, () => reported(served, router, character++, "accepted")),
    };
    router.answering = false;
    const ended: number[] = [];
    const toRouter = await series("cancels", some, async () => {
      const gone = new AbortController();
      const asked = router.next("trigger");
      served.type(line, character++, "b");
      const answer = served.ask(line, character, true, gone.signal).catch(() => undefined);
      await asked;
      const arrived = router.next("cancel");
      const sentMs = clock.now();
      gone.abort();
      const arrivedMs = await arrived;
      await answer;
      ended.push(clock.now() - sentMs);
      return arrivedMs - sentMs;
    });
    return {
      key_to_trigger_ms: { while_reading_the_folder: reading, after },
      key_to_answer_ms: keyToAnswer,
      cancel_ms: { to_router: toRouter, answered: spread(ended) },
      feedback_ms: feedback,
    };
  } finally {
    await served.end();
  }
}

const events = { shown: FeedbackEvent.SHOWN, partial: FeedbackEvent.PARTIAL, accepted: FeedbackEvent.ACCEPTED } as const;

async function reported(served: Served, router: RouterEnd, character: number, what: keyof typeof events): Promise<number> {
  served.type(line, character, "c");
  const [item] = await served.ask(line, character + 1, true);
  if (!item) throw new SlipstreamError("internal", "no item to report of");
  const arrived = router.next("feedback", events[what]);
  const sentMs = clock.now();
  if (what === "shown") served.rpc.notify("textDocument/didShowCompletion", { item });
  else if (what === "partial") served.rpc.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength: 5 });
  else await served.rpc.request("workspace/executeCommand", item.command);
  return (await arrived) - sentMs;
}

function spread(values: readonly number[]): Spread {
  const at = (share: number) => (values.length === 0 ? 0 : Math.round(percentile(values, share) * 100) / 100);
  return { count: values.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}
