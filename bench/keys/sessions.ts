// sessions: many editors on a router at once, each on a connection of its own with a document of 12 KB; half of them type a key
// and ask once a minute. Out comes what memory the router holds for them. Connections are made a few at a time.
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { type Random, seeded } from "../../lib/random.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import type { Stand } from "./stand.ts";

export interface ManySessions {
  readonly sessions: number;
  readonly document_bytes: number;
  readonly triggers: number;
  readonly answered: number;
  readonly seconds: number;
  /** Largest resident set of the router in the window, and before the first session. */
  readonly rss_mib: number;
  readonly rss_mib_before: number;
  readonly heap_mib: number;
}

const documentUtf16 = 12 << 10;
const everyMs = 60_000;
const sampleMs = 2_500;
const openAtOnce = 50;
/** Files, libraries, workers: what a process holds open besides. */
const spareFiles = 200;

interface One {
  readonly grpc: GrpcClient;
  readonly client: EditorClient;
}

export async function manySessions(
  stand: Stand,
  options: { readonly sessions: number; readonly seconds: number; readonly seed: number },
  deps: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<ManySessions> {
  const { sessions, seconds, seed } = options;
  mayOpen(sessions);
  const texts = stand.sources.map(({ text }) => text);
  const random = seeded(seed);
  const before = await stand.take();
  const all: One[] = [];
  try {
    while (all.length < sessions) {
      deps.signal.throwIfAborted();
      const part = Array.from({ length: Math.min(openAtOnce, sessions - all.length) }, (_, i) =>
        open(stand.address, all.length + i, texts),
      );
      all.push(...part);
      if (all.length % 1_000 === 0) deps.say(`${all.length} sessions`);
      await systemClock.sleep(openAtOnce, deps.signal);
    }
    const counted = { triggers: 0, answered: 0 };
    let [rss, heap] = [0, 0];
    await stand.take();
    const startMs = systemClock.now();
    const over = new AbortController();
    setMaxListeners(0, over.signal);
    const typing = Promise.all(
      all.slice(0, Math.ceil(sessions / 2)).map((one) => type(one.client, random, counted, over.signal).catch(() => {})),
    );
    while (systemClock.now() - startMs < seconds * 1_000) {
      await systemClock.sleep(sampleMs, deps.signal);
      const { router } = await stand.take();
      rss = Math.max(rss, router.spent.rssMib);
      heap = Math.max(heap, router.heapMib);
    }
    over.abort(new Error("the bench is over"));
    await typing;
    return {
      ...{ sessions, document_bytes: documentUtf16, ...counted },
      seconds: Math.round((systemClock.now() - startMs) / 1_000),
      rss_mib: Math.round(rss),
      rss_mib_before: Math.round(before.router.spent.rssMib),
      heap_mib: Math.round(heap),
    };
  } finally {
    for (const { client, grpc } of all) {
      client.close();
      grpc.close();
    }
  }
}

/** A document of its own each: nothing is shared by chance. */
function open(address: string, nth: number, texts: readonly string[]): One {
  const grpc = new GrpcClient({ address });
  const client = new EditorClient(
    { session: `many${nth}`, workspace: "bench", deadlineMs: 0, maxTokens: 32, stream: false, reconnectMs: 5_000 },
    { clock: systemClock, connect: () => grpc.duplex(CompletionService.method.session) },
  );
  let text = `// session ${nth}\n`;
  for (let i = nth; text.length < documentUtf16; i++) text += texts[i % texts.length];
  client.open({ id: "d", path: `src/${nth}.ts`, language: "typescript", text: text.slice(0, documentUtf16) });
  return { grpc, client };
}

/** One key and one wish a minute, at a place that moves a little. */
async function type(client: EditorClient, random: Random, counted: { triggers: number; answered: number }, signal: AbortSignal) {
  await systemClock.sleep(random.next() * everyMs, signal);
  for (let at = documentUtf16 >> 1; ; at += 1) {
    client.edit("d", { startUtf16: at, endUtf16: at, text: "x" }, "typed");
    counted.triggers += 1;
    void client.trigger("d", at + 1, "auto").answer.then(() => {
      counted.answered += 1;
    });
    await systemClock.sleep(everyMs, signal);
  }
}

/** Each session is a socket here and one in the router's process. */
function mayOpen(sessions: number): void {
  const line = readFileSync("/proc/self/limits", "utf8").match(/^Max open files\s+(\d+)/m)?.[1];
  const max = Number(line ?? Number.POSITIVE_INFINITY);
  if (sessions + spareFiles > max)
    throw new SlipstreamError(
      "overloaded",
      `${sessions} sessions need as many open files, and this shell allows ${max}: raise it (ulimit -n ${sessions + spareFiles}) or ask for fewer (--sessions ${Math.max(0, max - spareFiles)})`,
    );
}
