// conformance: the player of test/golden/sessions with this project's own client; what a step means stands in the README there.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { SlipstreamError } from "../../lib/errors.ts";
import { SlipstreamError as Failure } from "../../lib/errors.ts";
import type { GrpcClient } from "../../lib/grpc/client.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import { packageRoot } from "../../lib/package-root.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  CompletionService,
  type ServerMessage,
  ServerMessageSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";

export type Json = { readonly [key: string]: JsonValue };
export type Step = Json & { readonly stream?: string };

export const kitFolder = join(packageRoot(), "test/golden/sessions");
export const kit = readdirSync(kitFolder)
  .filter((name) => name.endsWith(".ndjson"))
  .map((name) => name.replace(".ndjson", ""));

/** Of the router that is played against: what is retired in a conversation must not have ended by then, on a busy machine either. */
export const unhurried = { SLIPSTREAM_WORKER_PROFILE: "l40s-7b-eagle3", SLIPSTREAM_WORKER_PROFILE_END: "slow" };

/** The stream that a `drain` step ends is the router's last. */
export const draining = "drain";

export function conversation(name: string): { about: string; steps: Step[] } {
  const lines = readFileSync(join(kitFolder, `${name}.ndjson`), "utf8")
    .trim()
    .split("\n");
  const [head, ...steps] = lines.map((line) => JSON.parse(line) as Step);
  return { about: String(head?.["about"]), steps };
}

/** Throws with the number of the step that did not go as it must. */
export async function replay(name: string, deps: { client: GrpcClient; run: string; drain?: () => void }): Promise<void> {
  const saved = new Map<string, string>();
  const streams = new Map<string, Stream>();
  for (const [i, step] of conversation(name).steps.entries()) {
    try {
      if (step["open"]) streams.set(String(step.stream), new Stream(deps.client));
      else if (step["drain"]) deps.drain?.();
      else await (streams.get(String(step.stream)) as Stream).play(step, saved, deps.run);
    } catch (thrown) {
      throw new Error(`${name}, line ${i + 2}: ${(thrown as Error).message}\n${JSON.stringify(step)}`);
    }
  }
  for (const stream of streams.values()) stream.leave();
}

const patienceMs = 10_000;

class Stream {
  readonly #abort = new AbortController();
  readonly #duplex: Duplex<ServerMessage, ClientMessage>;
  readonly #frames: AsyncIterator<ServerMessage>;
  readonly #partials = new Map<string, string>();

  constructor(client: GrpcClient) {
    this.#duplex = client.duplex(CompletionService.method.session, { signal: this.#abort.signal });
    this.#frames = this.#duplex.frames[Symbol.asyncIterator]();
  }

  leave(): void {
    this.#abort.abort();
  }

  async play(step: Step, saved: Map<string, string>, run: string): Promise<void> {
    if (step["send"]) this.#say(filled(step["send"], saved, run) as Json);
    else if (step["expect"]) differs(await this.#next(), step["expect"], saved);
    else if (step["expectAll"]) await this.#all([...(step["expectAll"] as JsonValue[])], saved);
    else if (step["partials"]) this.#partial(String(step["partials"]));
    else if (step["close"]) this.#duplex.end();
    else if (step["break"]) this.leave();
    else if (step["ends"]) await this.#ends(String(step["ends"]), step["details"], saved);
    else throw new Error("is no step");
  }

  #say(message: Json): void {
    this.#duplex.send(fromJson(ClientMessageSchema, message) ?? create(ClientMessageSchema));
  }

  /** The next message that is no partial. */
  async #next(): Promise<Json> {
    for (;;) {
      const step = await soon(this.#frames.next());
      if (step.done) throw new Error("the stream ended");
      const json = toJson(ServerMessageSchema, step.value) as Json;
      const { message } = step.value;
      if (message.case !== "partial") {
        if (message.case === "completion") this.#whole(message.value.triggerId, message.value.items[0]?.insertText ?? "");
        return json;
      }
      const { triggerId, text } = message.value;
      this.#partials.set(triggerId, (this.#partials.get(triggerId) ?? "") + text);
    }
  }

  async #all(expected: JsonValue[], saved: Map<string, string>): Promise<void> {
    while (expected.length > 0) {
      const said = await this.#next();
      const at = expected.findIndex((each) => matches(said, each, saved));
      if (at < 0) throw new Error(`heard ${JSON.stringify(said)}`);
      expected.splice(at, 1);
    }
  }

  async #ends(status: string, details: JsonValue | undefined, saved: Map<string, string>): Promise<void> {
    let error: SlipstreamError | undefined;
    try {
      const said = await this.#next();
      throw new Error(`heard ${JSON.stringify(said)}`);
    } catch (thrown) {
      if (thrown instanceof Failure) error = thrown;
      else if ((thrown as Error).message !== "the stream ended") throw thrown;
    }
    const number = error?.row.grpc ?? 0;
    if (statusNumbers[status] !== number) throw new Error(`ended with ${number}: ${error?.message}`);
    if (details !== undefined) differs(error?.message ?? "", details, saved);
  }

  #partial(triggerId: string): void {
    if (!this.#partials.has(triggerId)) throw new Error("no partial came");
  }

  #whole(triggerId: string, text: string): void {
    const parts = this.#partials.get(triggerId);
    if (parts !== undefined && parts !== text) throw new Error(`partials "${parts}" do not make "${text}"`);
  }
}

const statusNumbers: Readonly<Record<string, number>> = { OK: 0, INVALID_ARGUMENT: 3, FAILED_PRECONDITION: 9, UNAVAILABLE: 14 };

export async function soon<T>(waited: Promise<T>): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`nothing came in ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([waited, patience]);
  } finally {
    clearTimeout(late);
  }
}

const reference = /^@(\w+)(?:\[(\d+):(\d*)\])?$/;

function remembered(text: string, saved: ReadonlyMap<string, string>): string | undefined {
  const [, name = "", from, to] = reference.exec(text) ?? [];
  const known = saved.get(name);
  return from === undefined ? known : known?.slice(Number(from), to === "" ? undefined : Number(to));
}

export function filled(value: JsonValue, saved: ReadonlyMap<string, string>, run: string): JsonValue {
  if (typeof value === "string") return (remembered(value, saved) ?? value).replace("{run}", run);
  if (Array.isArray(value)) return value.map((each) => filled(each, saved, run));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, saved, run)]));
}

export function matches(said: JsonValue | undefined, expected: JsonValue, saved: Map<string, string>): boolean {
  if (Array.isArray(expected)) {
    const list = said ?? [];
    return Array.isArray(list) && list.length === expected.length && expected.every((each, i) => matches(list[i], each, saved));
  }
  if (expected !== null && typeof expected === "object") {
    const either = expected["@either"];
    if (Array.isArray(either)) return either.some((each) => matches(said, each, saved));
    if (said === null || typeof said !== "object" || Array.isArray(said)) return false;
    return Object.entries(expected).every(([key, each]) => matches(said[key], each, saved));
  }
  if (typeof expected !== "string" || !expected.startsWith("@")) return said === expected;
  const [word = "", ...rest] = expected.split(" ");
  const there = said !== undefined && said !== "" && said !== 0 && !(Array.isArray(said) && said.length === 0);
  if (word === "@any") return there;
  if (word === "@match") return typeof said === "string" && new RegExp(rest.join(" ")).test(said);
  if (word === "@in") return rest.includes(String(said));
  if (word === "@save") {
    if (typeof said === "string") saved.set(String(rest[0]), said);
    return there;
  }
  // A text of which nothing is left is not in the message.
  return (said ?? "") === remembered(expected, saved);
}

export function differs(said: JsonValue, expected: JsonValue, saved: Map<string, string>): void {
  if (!matches(said, expected, saved)) throw new Error(`heard ${JSON.stringify(said)}`);
}
