// conformance-sdk: the player of test/golden/sessions with the SDK: what is said there is done by the SDK's own calls, what must be
// heard is looked for in its answers and on its streams. What an SDK keeps its users from saying is left out, each with its reason.
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import type { Answer } from "../../editor/sdk/answer.ts";
import type { Asked } from "../../editor/sdk/asked.ts";
import type { Document } from "../../editor/sdk/document.ts";
import { Session } from "../../editor/sdk/session.ts";
import { systemClock } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import { ClientMessageSchema, ServerMessageSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { conversation, differs, filled, type Json, matches, type Step, soon } from "./conformance.ts";
import { Tapped } from "./tapped.ts";
import { until } from "./until.ts";

const afterTaking = ["send", "open", "close", "break", "drain"];

/** Returns what the SDK does not say: "line N: why". Throws where a step did not go as it must. */
export async function replayBySdk(name: string, deps: { address: string; run: string; drain?: () => void }): Promise<string[]> {
  const player = new Player(deps);
  const leftOut: string[] = [];
  // What is heard of a message that was never said is not waited for.
  let left = false;
  for (const [i, step] of conversation(name).steps.entries()) {
    if (left && !afterTaking.some((word) => word in step)) continue;
    try {
      const why = await player.play(step);
      left = why !== undefined;
      if (why !== undefined) leftOut.push(`line ${i + 2}: ${why}`);
    } catch (thrown) {
      player.leave();
      throw new Error(`${name}, line ${i + 2}: ${(thrown as Error).message}\n${JSON.stringify(step)}`);
    }
  }
  player.leave();
  return leftOut;
}

class Player {
  readonly #deps: { address: string; run: string; drain?: () => void };
  readonly #saved = new Map<string, string>();
  readonly #dialled: Tapped[] = [];
  readonly #streams = new Map<string, Tapped>();
  readonly #documents = new Map<string, Document>();
  readonly #asked = new Map<string, { asked: Asked; pieces: Promise<string> }>();
  #session: Session | undefined;
  /** Of those dialled: how many the conversation has opened. */
  #opened = 0;

  constructor(deps: { address: string; run: string; drain?: () => void }) {
    this.#deps = deps;
  }

  leave(): void {
    this.#session?.close();
    for (const tapped of this.#dialled) tapped.leave();
  }

  /** Returns why the step is not the SDK's to do. */
  async play(step: Step): Promise<string | undefined> {
    const stream = String(step.stream);
    if (step["send"]) return this.#say(stream, filled(step["send"], this.#saved, this.#deps.run) as Json);
    if (step["expect"]) await this.#hear(stream, step["expect"]);
    else if (step["expectAll"]) await this.#hearAll(stream, [...(step["expectAll"] as JsonValue[])]);
    else if (step["partials"]) await this.#partials(String(step["partials"]));
    else if (step["close"]) this.#session?.close();
    else if (step["break"]) this.#streams.get(stream)?.break();
    else if (step["drain"]) this.#deps.drain?.();
    else if (step["ends"]) return this.#ends(stream);
    return undefined;
  }

  async #say(stream: string, message: Json): Promise<string | undefined> {
    const [[kind = "", fields] = []] = Object.entries(message) as [string, Json][];
    const what = fields as Json;
    if (kind === "hello") return this.#hello(stream, what);
    if (!this.#session) return "a session begins with its hello";
    if (kind === "documentOpen") return this.#open(stream, what);
    const document = this.#documents.get(String(what["documentId"]));
    if (kind === "documentClose") document?.close();
    else if (kind === "cancel") this.#asked.get(String(what["triggerId"]))?.asked.cancel();
    else if (kind === "feedback") return this.#report(what);
    else if (!document) return "a document that is not open is no document";
    else if (kind === "documentEdit") return this.#edit(stream, document, what);
    else if (kind === "trigger") return this.#ask(document, what);
    return undefined;
  }

  async #hello(stream: string, hello: Json): Promise<string | undefined> {
    if (hello["protocol"] !== "1" || !hello["sessionId"]) return "the protocol and the session's name are its own";
    if (this.#streams.has(stream)) return "a session says hello once";
    const mine = this.#dialled.at(-1);
    const known = mine && String(hello["resumeToken"] ?? "") === this.#saved.get("token_a");
    if (known) {
      // It comes back by itself, also from a stream that the router still holds.
      if (!mine.lost) mine.lose();
    } else {
      this.#session?.close();
      this.#documents.clear();
      this.#session = this.#connect(String(hello["sessionId"]), String(hello["client"] ?? "x"));
    }
    this.#opened += 1;
    await until(`stream ${stream} is dialled`, () => this.#dialled.length >= this.#opened);
    const tapped = this.#dialled.at(-1) as Tapped;
    this.#streams.set(stream, tapped);
    // A token that is wrong is none of the SDK's: it never has one that it was not given.
    const { resumeToken, clientVersion: _, ...rest } = hello;
    this.#said(stream, { hello: known ? { ...rest, resumeToken: resumeToken as string } : rest });
    return undefined;
  }

  #connect(sessionId: string, client: string): Session {
    const dial = () => {
      const tapped = new Tapped(this.#deps.address);
      this.#dialled.push(tapped);
      return tapped;
    };
    return new Session(
      { client: { name: client, version: "1" }, sessionId, backoff: { firstMs: 20, maxMs: 100 } },
      {},
      { clock: systemClock, random: seeded(1), dial },
    );
  }

  async #open(stream: string, { documentId, path, language, text, version, excluded }: Json): Promise<string | undefined> {
    if (version !== undefined && version !== "1") return "versions are its own";
    const id = String(documentId);
    const words = { path: String(path ?? "x"), language: String(language ?? "x"), text: String(text ?? "") };
    const document = (this.#session as Session).open({ id, ...words, excluded: excluded === true });
    this.#documents.set(id, document);
    // The text of an excluded document stays here.
    this.#said(stream, {
      documentOpen: { documentId: id, ...(excluded === true || text === undefined ? {} : { version: "1", text }) },
    });
    return undefined;
  }

  #edit(stream: string, document: Document, edit: Json): string | undefined {
    if (edit["baseVersion"] !== String(document.version) || edit["version"] !== String(document.version + 1n))
      return "versions are its own";
    const edits = (edit["edits"] as Json[]).map(({ startUtf16, endUtf16, text }) => ({
      ...{ start: Number(startUtf16 ?? 0), end: Number(endUtf16 ?? 0), text: String(text ?? "") },
    }));
    try {
      document.edit(edits);
    } catch (thrown) {
      if (thrown instanceof RangeError) return `refused here: ${thrown.message}`;
      throw thrown;
    }
    const { sha256After: _, origin: __, ...rest } = edit;
    this.#said(stream, { documentEdit: edit["sha256After"] ? edit : rest });
    return undefined;
  }

  #ask(document: Document, trigger: Json): string | undefined {
    const { triggerId, offsetUtf16, kind, deadlineMs, sampling, n, stream, supersedes, version } = trigger;
    if (version !== String(document.version)) return "versions are its own";
    if (kind !== "TRIGGER_KIND_INVOKED") return "there is no such kind to ask for";
    const { maxTokens, ...others } = (sampling ?? {}) as Json;
    if (Object.keys(others).length > 0) return `${Object.keys(others).join()} cannot be asked for`;
    try {
      const asked = (this.#session as Session).ask(document, {
        ...{ triggerId: String(triggerId), offset: Number(offsetUtf16), kind: "invoked", deadlineMs: Number(deadlineMs ?? 0) },
        ...(maxTokens === undefined ? {} : { maxTokens: Number(maxTokens) }),
        ...(n === undefined ? {} : { n: Number(n) }),
        ...(supersedes === undefined ? {} : { supersedes: String(supersedes) }),
        stream: stream === true,
      });
      this.#asked.set(String(triggerId), { asked, pieces: joined(asked.pieces) });
    } catch (thrown) {
      if (thrown instanceof RangeError) return `refused here: ${thrown.message}`;
      throw thrown;
    }
    return undefined;
  }

  #report({ completionId, event, acceptedUtf16 }: Json): string | undefined {
    const { feedback } = this.#session as Session;
    const id = String(completionId);
    if (event === "FEEDBACK_EVENT_SHOWN") feedback.shown(id);
    else if (event === "FEEDBACK_EVENT_ACCEPTED" && acceptedUtf16 !== undefined) feedback.partial(id, Number(acceptedUtf16));
    else return "a report has an event";
    return undefined;
  }

  /** In the answer where one was asked for on this stream; else on the stream itself. */
  async #hear(stream: string, expected: JsonValue): Promise<void> {
    const tapped = this.#streams.get(stream) as Tapped;
    const asked = tapped.lost ? undefined : this.#asked.get(triggerIn(expected));
    differs(asked ? jsonOf(await soon(asked.asked.answer)) : await this.#next(tapped), expected, this.#saved);
  }

  async #hearAll(stream: string, expected: JsonValue[]): Promise<void> {
    const tapped = this.#streams.get(stream) as Tapped;
    if (!tapped.lost) for (const each of expected) await this.#hear(stream, each);
    else
      while (expected.length > 0) {
        const heard = await this.#next(tapped);
        const at = expected.findIndex((each) => matches(heard, each, this.#saved));
        if (at < 0) throw new Error(`heard ${JSON.stringify(heard)}`);
        expected.splice(at, 1);
      }
  }

  async #next(tapped: Tapped): Promise<Json> {
    for (;;) {
      await soon(until("another message", () => tapped.heard.length > 0 || tapped.heard.ended));
      const message = tapped.heard.take();
      if (!message) throw new Error("the stream ended");
      const { case: kind, value } = message.message;
      // The SDK's answers are looked at as its users have them.
      if (tapped.lost || (kind !== "completion" && kind !== "nothing") || !this.#asked.has(value.triggerId))
        return toJson(ServerMessageSchema, message) as Json;
    }
  }

  async #partials(triggerId: string): Promise<void> {
    const { asked, pieces } = this.#asked.get(triggerId) as { asked: Asked; pieces: Promise<string> };
    const answer = await asked.answer;
    const text = answer.type === "completion" ? answer.items[0]?.text : undefined;
    if (text === "" || (await pieces) !== text) throw new Error(`pieces "${await pieces}" do not make "${text}"`);
  }

  async #ends(stream: string): Promise<string | undefined> {
    const tapped = this.#streams.get(stream);
    if (!tapped) return "there was no such stream";
    await soon(until(`stream ${stream} ends`, () => tapped.heard.ended));
    try {
      while (!tapped.heard.over) tapped.heard.take();
    } catch (thrown) {
      throw new Error(`ended with ${(thrown as SlipstreamError).message}`);
    }
    return undefined;
  }

  #said(stream: string, expected: Json): void {
    const tapped = this.#streams.get(stream) as Tapped;
    const said = tapped.said.map((message) => toJson(ClientMessageSchema, message) as Json);
    if (!said.some((each) => matches(each, defaultless(expected), this.#saved)))
      throw new Error(`the SDK said ${JSON.stringify(said.at(-1))}`);
  }
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

function triggerIn(expected: JsonValue): string {
  const one = (expected as Json)["@either"] ? ((expected as Json)["@either"] as Json[])[0] : (expected as Json);
  const { completion, nothing } = (one ?? {}) as { completion?: Json; nothing?: Json };
  return String((completion ?? nothing)?.["triggerId"] ?? "");
}

/** The JSON form leaves out what is a field's default. */
function defaultless(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(defaultless);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([, each]) => each !== "" && each !== 0 && each !== false);
  return Object.fromEntries(kept.map(([key, each]) => [key, defaultless(each)]));
}

/** An answer of the SDK as the message that it was made of. */
function jsonOf(answer: Answer): Json {
  const { triggerId, outcome, cost } = answer;
  const word = (prefix: string, text: string) => `${prefix}_${text.toUpperCase()}`;
  const told = { outcome: word("OUTCOME", outcome), cache: { source: word("CACHE_SOURCE", cost.source) } };
  if (answer.type === "nothing")
    return { nothing: { triggerId, ...told, reason: word("REASON", answer.reason), detail: answer.detail } };
  return {
    completion: {
      ...{ triggerId, ...told, completionId: answer.completionId, finish: word("FINISH", answer.finish) },
      items: answer.items.map(({ text }) => ({ insertText: text })),
      timing: { totalMs: cost.totalMs },
    },
  };
}
