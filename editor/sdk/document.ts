// document: one open document as the editor has it, and what the router must hear of it: opens, edits and the hash that finds a
// difference. Offsets are UTF-16 units. Says nothing while nobody listens: after a reconnect its whole text is sent, if need be.
import { createHash } from "node:crypto";
import type { ClientMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type Origin, originNumber } from "./words.ts";

export interface DocumentOptions {
  /** Unique in the session, 1–128 characters; the path where there is no better one. */
  readonly id: string;
  /** Relative to the workspace. */
  readonly path: string;
  /** LSP language identifier. */
  readonly language: string;
  readonly text: string;
  /** Neither completed nor read as context; its text is never sent. */
  readonly excluded?: boolean;
}

/** [start, end) becomes `text`; offsets refer to the text after the edits before it. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface DocumentLimits {
  readonly documentBytesMax: number;
  readonly editsPerMessageMax: number;
}

interface Deps {
  /** False: nobody listens. */
  readonly say: (message: ClientMessage["message"]) => boolean;
  readonly listening: () => boolean;
  readonly limits: () => DocumentLimits;
  readonly nowMs: () => number;
  readonly edited: (document: Document, edits: readonly Edit[]) => void;
  readonly closed: (document: Document) => void;
}

type Saying<C> = Extract<ClientMessage["message"], { case: C }>;

/** A hash costs the whole document; the router checks one in as many edits as the document has pieces of this size. */
const hashedBytesPerEdit = 16 << 10;

export class Document {
  readonly id: string;
  readonly path: string;
  readonly language: string;
  readonly excluded: boolean;
  readonly #deps: Deps;
  #text: string;
  #version = 1n;
  #unhashed = 0;
  /** The router has the text: edits can be said. */
  #told = false;

  constructor({ id, path, language, text, excluded }: DocumentOptions, deps: Deps) {
    this.id = id;
    this.path = path;
    this.language = language;
    this.excluded = excluded ?? false;
    this.#text = text;
    this.#deps = deps;
  }

  get text(): string {
    return this.#text;
  }

  /** Counts edits. */
  get version(): bigint {
    return this.#version;
  }

  /** The router was told of it; false: it is over the router's limit, or nobody listens. */
  get told(): boolean {
    return this.#told;
  }

  /** Throws a RangeError that names the edit; nothing is changed then. */
  edit(edits: readonly Edit[], origin: Origin = "typed"): void {
    if (edits.length === 0) return;
    let text = this.#text;
    for (const [i, { start, end, text: inserted }] of edits.entries()) {
      if (!(start >= 0 && end >= start && end <= text.length))
        throw new RangeError(`edits[${i}]: [${start}, ${end}) is not in a text of ${text.length} units`);
      text = text.slice(0, start) + inserted + text.slice(end);
    }
    const baseVersion = this.#version;
    this.#text = text;
    this.#version += 1n;
    this.#deps.edited(this, edits);
    if (this.excluded || !this.#deps.listening()) return;
    if (!this.#told || edits.length > this.#deps.limits().editsPerMessageMax || this.#tooLarge()) this.open();
    else {
      this.#deps.say({
        case: "documentEdit",
        value: {
          documentId: this.id,
          baseVersion,
          version: this.#version,
          edits: edits.map(({ start, end, text: inserted }) => ({ startUtf16: start, endUtf16: end, text: inserted })),
          sha256After: this.#hashDue() ? this.sha256() : new Uint8Array(),
          origin: originNumber(origin),
          clientTimeUs: BigInt(Math.round(this.#deps.nowMs() * 1_000)),
        },
      } as Saying<"documentEdit">);
    }
  }

  /** The text becomes another one, by what differs. */
  replace(text: string, origin: Origin = "format"): void {
    const { start, end, inserted } = difference(this.#text, text);
    if (start < end || inserted !== "") this.edit([{ start, end, text: inserted }], origin);
  }

  close(): void {
    if (this.#told) this.#deps.say({ case: "documentClose", value: { documentId: this.id } } as Saying<"documentClose">);
    this.#told = false;
    this.#deps.closed(this);
  }

  /** Tells the router the whole text. */
  open(): void {
    const large = this.#tooLarge();
    if (large && this.#told) this.#deps.say({ case: "documentClose", value: { documentId: this.id } } as Saying<"documentClose">);
    this.#told = false;
    if (large) return;
    this.#unhashed = 0;
    this.#told = this.#deps.say({
      case: "documentOpen",
      value: {
        documentId: this.id,
        path: this.path,
        language: this.language,
        version: this.#version,
        text: this.excluded ? "" : this.#text,
        sha256: this.excluded ? new Uint8Array() : this.sha256(),
        excluded: this.excluded,
      },
    } as Saying<"documentOpen">);
  }

  /** A router that holds what `held` says needs no text. */
  resume(held: { readonly version: bigint; readonly sha256: Uint8Array } | undefined): void {
    const same = held?.version === this.#version && Buffer.from(held.sha256).equals(this.sha256());
    if (same) this.#told = true;
    else this.open();
  }

  /** Nobody listens any more. */
  untold(): void {
    this.#told = false;
  }

  sha256(): Uint8Array {
    return createHash("sha256").update(this.#text).digest();
  }

  #hashDue(): boolean {
    const every = Math.ceil(this.#text.length / hashedBytesPerEdit);
    this.#unhashed += 1;
    if (this.#unhashed < every) return false;
    this.#unhashed = 0;
    return true;
  }

  #tooLarge(): boolean {
    const max = this.#deps.limits().documentBytesMax;
    // A unit is at most three bytes of UTF-8: most documents need no count.
    return this.#text.length * 3 > max && Buffer.byteLength(this.#text) > max;
  }
}

/** What lies between the common beginning and the common end. */
function difference(before: string, after: string): { start: number; end: number; inserted: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  let same = 0;
  while (same < shorter - start && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same))
    same += 1;
  return { start, end: before.length - same, inserted: after.slice(start, after.length - same) };
}
