// network: the links and editors' connections of one simulated world: who is connected to whom over which pipe, watched by
// a monitor each, and what can break. Handlers are served as a gRPC server serves them: what they throw ends the stream.
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import type { Call } from "../lib/grpc/server.ts";
import { fork, type Random } from "../lib/random.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  type ServerMessage,
  ServerMessageSchema,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { type RouterFrame, RouterFrameSchema, type WorkerFrame, WorkerFrameSchema } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { LinkMonitor, type LinkMonitorDeps, type Lost } from "./link-monitor.ts";
import { type Pipe, type PipeOptions, pipe, type Watch } from "./pipe.ts";

type Handler<In, Out> = (stream: Duplex<In, Out>, call: Call) => Promise<void>;
export type LinkHandler = Handler<RouterFrame, WorkerFrame>;
export type SessionHandler = Handler<ClientMessage, ServerMessage>;

export interface Latency {
  readonly latencyMs: number;
  readonly jitterMs: number;
}

export interface NetworkOptions {
  readonly link: Latency;
  readonly editor: Latency;
  readonly abortMaxMs: number;
  /** A planted bug of the links. */
  readonly linkFault?: Watch<RouterFrame>;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (line: string) => void;
  readonly violate: (what: string) => void;
  readonly ended: LinkMonitorDeps["ended"];
  readonly began: (worker: string, salt: string, sinceMs: number) => void;
  readonly lost: (generations: readonly Lost[]) => void;
  /** Told of each answer as a router sends it. */
  readonly left?: (trigger: string, router: string) => void;
}

/** An editor that does not read is cut off soon, so that a world meets it. */
const editorUnreadMax = 48;

/** Two streams, one fate. */
interface LinkEntry {
  readonly name: string;
  readonly worker: string;
  readonly monitor: LinkMonitor;
  readonly pipes: Pipe<typeof RouterFrameSchema, typeof WorkerFrameSchema>[];
}

interface EditorEntry {
  readonly router: string;
  readonly wire: Pipe<typeof ClientMessageSchema, typeof ServerMessageSchema>;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #deps: Deps;
  readonly #random: Random;
  readonly #links = new Map<string, LinkEntry>();
  readonly #editors = new Map<string, EditorEntry>();
  /** Until when nothing passes on links, by worker or by link. */
  readonly #silentUntilMs = new Map<string, number>();
  /** When something was last wrong with a link. */
  readonly #struckMs = new Map<string, number>();
  readonly #submits = new Map<string, number>();
  linksBroken = 0;

  constructor(options: NetworkOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#random = fork(deps.random);
  }

  links() {
    return [...this.#links.values()].map((entry) => ({
      name: entry.name,
      cut: () => this.#cut(entry),
      stall: (ms: number) => this.#stall(entry, ms),
      /** Nothing passes, on connections that are made meanwhile either. */
      part: (ms: number) => {
        this.#silentUntilMs.set(entry.name, this.#deps.clock.now() + ms);
        this.#stall(entry, ms);
      },
    }));
  }

  /** A worker's process is frozen: its connections stand, and nothing passes on them, or on new ones. */
  freeze(worker: string, ms: number): void {
    this.#silentUntilMs.set(worker, this.#deps.clock.now() + ms);
    for (const entry of this.#links.values()) if (entry.worker === worker) this.#stall(entry, ms);
  }

  /** A process is gone: a worker's links, or a router's links and its editors' connections. */
  cutAll(process: string): void {
    for (const entry of [...this.#links.values()]) {
      if (entry.worker === process || entry.name.startsWith(`${process}>`)) this.#cut(entry);
    }
    for (const { router, wire } of this.#editors.values()) if (router === process) wire.cut();
  }

  /** How long nothing has been wrong between the two. */
  calmMs(router: string, worker: string): number {
    const name = `${router}>${worker}`;
    const until = Math.max(this.#silentUntilMs.get(worker) ?? 0, this.#silentUntilMs.get(name) ?? 0, this.#struckMs.get(name) ?? 0);
    return this.#deps.clock.now() - until;
  }

  /** Generations that a router has sent to workers. */
  submits(router: string): number {
    return this.#submits.get(router) ?? 0;
  }

  editor(name: string): Pipe<typeof ClientMessageSchema, typeof ServerMessageSchema> | undefined {
    return this.#editors.get(name)?.wire;
  }

  /** Generations under way on links that live. */
  get open(): number {
    return [...this.#links.values()].reduce((sum, { monitor }) => sum + monitor.open, 0);
  }

  link(router: string, worker: string, channel: "inline" | "bulk", handler: LinkHandler): Duplex<WorkerFrame, RouterFrame> {
    const name = `${router}>${worker}`;
    const entry = this.#entry(name, worker, channel);
    const { log } = this.#deps;
    const { monitor } = entry;
    const down = monitor.down(channel);
    const say = (direction: string, { frame }: RouterFrame | WorkerFrame) => {
      const id = frame.value && "id" in frame.value ? ` ${frame.value.id}` : "";
      log(`${name} ${direction} ${frame.case}${id}`);
      if (frame.case === "submit") this.#submits.set(router, this.submits(router) + 1);
    };
    const made = this.#pipe(
      { up: RouterFrameSchema, down: WorkerFrameSchema, ...this.#options.link },
      {
        ...this.#options.linkFault,
        sent: (frame, arrivesMs) => {
          say("up", frame);
          monitor.up.sent?.(frame, arrivesMs);
        },
        arrived: (frame) => monitor.up.arrived?.(frame),
      },
      {
        sent: (frame, arrivesMs) => {
          for (const each of apart(frame)) {
            say("down", each);
            down.sent?.(each, arrivesMs);
          }
        },
        arrived: (frame) => {
          for (const each of apart(frame)) down.arrived?.(each);
        },
      },
    );
    entry.pipes.push(made);
    const silentMs = Math.max(this.#silentUntilMs.get(worker) ?? 0, this.#silentUntilMs.get(name) ?? 0) - this.#deps.clock.now();
    if (silentMs > 0) made.stall(silentMs);
    made.client.signal.addEventListener("abort", () => this.#broke(entry), { once: true });
    this.#serve(`${name} ${channel}`, made, handler, {});
    return made.client;
  }

  session(
    editor: string,
    router: string,
    metadata: Readonly<Record<string, string>>,
    handler: SessionHandler,
  ): Duplex<ServerMessage, ClientMessage> {
    const { log, left } = this.#deps;
    const made = this.#pipe(
      { up: ClientMessageSchema, down: ServerMessageSchema, ...this.#options.editor, unreadMax: editorUnreadMax },
      { sent: ({ message }) => log(`${editor}>${router} up ${message.case}${idOf(message.value)}`) },
      {
        sent: ({ message }) => {
          log(`${editor}>${router} down ${message.case}${idOf(message.value)}`);
          if (message.case === "completion" || message.case === "nothing") left?.(message.value.triggerId, router);
        },
      },
    );
    this.#editors.set(editor, { router, wire: made });
    this.#serve(`${editor}>${router}`, made, handler, metadata);
    return made.client;
  }

  #entry(name: string, worker: string, channel: "inline" | "bulk"): LinkEntry {
    const known = this.#links.get(name);
    if (known && channel === "bulk") return known;
    // A router that makes the link anew has given up the one before.
    if (known) this.#broke(known);
    const { clock, violate, ended, began } = this.#deps;
    const monitor = new LinkMonitor(
      { name, worker, abortMaxMs: this.#options.abortMaxMs },
      { now: () => clock.now(), violate, ended, began: (salt, sinceMs) => began(worker, salt, sinceMs) },
    );
    const entry = { name, worker, monitor, pipes: [] };
    this.#links.set(name, entry);
    return entry;
  }

  #cut(entry: LinkEntry): void {
    this.#struckMs.set(entry.name, this.#deps.clock.now());
    for (const each of entry.pipes) each.cut();
  }

  #stall({ name, pipes }: LinkEntry, ms: number): void {
    this.#struckMs.set(name, this.#deps.clock.now() + ms);
    for (const each of pipes) each.stall(ms);
  }

  #broke(entry: LinkEntry): void {
    this.#struckMs.set(entry.name, Math.max(this.#struckMs.get(entry.name) ?? 0, this.#deps.clock.now()));
    if (this.#links.get(entry.name) !== entry) return;
    this.#links.delete(entry.name);
    this.linksBroken += 1;
    this.#deps.log(`${entry.name} broke`);
    this.#deps.lost(entry.monitor.broke());
  }

  #pipe<Up extends DescMessage, Down extends DescMessage>(
    options: PipeOptions<Up, Down>,
    up: Watch<MessageShape<Up>>,
    down: Watch<MessageShape<Down>>,
  ): Pipe<Up, Down> {
    return pipe(options, { clock: this.#deps.clock, random: this.#random, up, down });
  }

  #serve<Up extends DescMessage, Down extends DescMessage>(
    name: string,
    { server }: Pipe<Up, Down>,
    handler: Handler<MessageShape<Up>, MessageShape<Down>>,
    metadata: Readonly<Record<string, string>>,
  ): void {
    const call: Call = { signal: server.signal, metadata: (key) => metadata[key], peer: name };
    handler(server, call).then(
      () => server.end(),
      (thrown: unknown) => {
        const error = SlipstreamError.from(thrown);
        this.#deps.log(`${name} ended by ${error.code}`);
        if (error.code === "internal") this.#deps.violate(`${name}: ${error.stack ?? error.message}`);
        server.end(error);
      },
    );
  }
}

/** What was said in one tick, frame by frame. */
const apart = (frame: WorkerFrame) => (frame.frame.case === "frames" ? frame.frame.value.frames : [frame]);

function idOf(value: object | undefined): string {
  if (!value) return "";
  const named = value as { triggerId?: string; version?: bigint; outcome?: number; text?: string };
  return [named.triggerId, named.version, named.outcome, named.text?.length]
    .map((each) => (each === undefined ? "" : ` ${each}`))
    .join("");
}
