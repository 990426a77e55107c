// trace-record: `slipstream trace record`: a proxy between an editor and a router that passes every message on, both ways, and takes down
// what each session's person does as a trace of its own, with the code replaced (sim/trace/recording.ts). On loopback alone.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { isLoopback } from "../lib/address.ts";
import { systemClock } from "../lib/clock.ts";
import { address as addressSetting } from "../lib/config.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { GrpcClient } from "../lib/grpc/client.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import { type Call, mount, startGrpcServer } from "../lib/grpc/server.ts";
import { systemRandom } from "../lib/random.ts";
import { type ClientMessage, CompletionService, type ServerMessage } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { Masking } from "../sim/trace/masking.ts";
import { Recording } from "../sim/trace/recording.ts";
import { formatTrace } from "../sim/trace/written.ts";
import type { Io } from "./command.ts";
import { interruption } from "./options.ts";
import type { Reach } from "./reaching.ts";

interface Recorded {
  readonly reach: Reach;
  readonly listen: string;
  /** A folder. */
  readonly out: string;
}

/** Of one run; editors are few. */
const sessionsMax = 1_000;
/** What callers say of themselves goes on with their calls. */
const passedOn = ["authorization", "x-api-key", "api-key", "traceparent"] as const;

export async function record({ reach, listen, out }: Recorded, io: Io): Promise<number> {
  if (!addressSetting.safeParse(listen).success || !isLoopback(listen))
    throw new SlipstreamError("invalid_request", `--listen: "${listen}" is no HOST:PORT of this machine alone`, {
      field: "listen",
    });
  const signal = interruption(io);
  const router = new GrpcClient({ address: reach.address, tls: reach.tls });
  // One secret for all sessions of a run, so that names are the same in all of them; it ends with the process.
  const masking = new Masking(Buffer.from(systemRandom().hex(64), "hex"));
  const writing = new Set<Promise<void>>();
  let sessions = 0;
  const options = (call: Call) => ({ metadata: { ...headers(call), ...reach.metadata }, signal: call.signal });
  const server = await startGrpcServer(
    { address: listen, messageBytesMax: 16 << 20, streamsPerConnectionMax: 1_000 },
    {
      name: "recorder",
      failed: (error) => io.complain(`slipstream trace: ${error.message}`),
      mounts: [
        mount(CompletionService, {
          session: async (editor, call) => {
            const nth = ++sessions;
            const recording = nth <= sessionsMax ? new Recording({ masking, now: systemClock.now }) : undefined;
            const passing = passed(editor, router.duplex(CompletionService.method.session, options(call)), recording);
            const written = passing.finally(() => write(nth, recording)).catch(() => {});
            writing.add(written);
            await passing.finally(() => writing.delete(written));
          },
          complete: (request, call) => router.serverStream(CompletionService.method.complete, request, options(call)),
          generate: (request, call) => router.serverStream(CompletionService.method.generate, request, options(call)),
          report: (request, call) => router.unary(CompletionService.method.report, request, options(call)),
        }),
      ],
    },
  );
  server.setServing(true);
  mkdirSync(out, { recursive: true });
  io.complain(
    `recording: editors connect to ${listen.replace(/:\d+$/, `:${server.port}`)}, which passes on to ${reach.address}; traces go to ${out}/; Ctrl-C ends it`,
  );
  await new Promise((ended) => signal.addEventListener("abort", ended, { once: true }));
  server.close();
  await Promise.all(writing);
  router.close();
  return 0;

  function write(nth: number, recording: Recording | undefined): void {
    if (!recording || recording.events === 0) return;
    const path = join(out, `${String(nth).padStart(4, "0")}.ndjson.gz`);
    writeFileSync(`${path}.part`, gzipSync(formatTrace(recording.trace)));
    renameSync(`${path}.part`, path);
    const left = recording.left > 0 ? `; no room for ${recording.left} more` : "";
    io.complain(`${path}: ${recording.events} events${left}`);
  }
}

async function passed(
  editor: Duplex<ClientMessage, ServerMessage>,
  router: Duplex<ServerMessage, ClientMessage>,
  recording: Recording | undefined,
): Promise<void> {
  const up = async () => {
    for await (const message of editor.frames) {
      recording?.heard(message);
      if (!router.send(message)) await router.drained();
    }
    router.end();
  };
  const down = async () => {
    for await (const message of router.frames) if (!editor.send(message)) await editor.drained();
    editor.end();
  };
  try {
    await Promise.all([up(), down()]);
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    router.end(error);
    throw error;
  }
}

function headers(call: Call): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => (call.metadata(name) === undefined ? [] : [[name, call.metadata(name) ?? ""]])),
  );
}
