// document: the mirror of one open document. Edits come as UTF-16 ranges of one version step and cost what they change, not
// what the document is long; a version or hash that does not match means the mirror is wrong, and nothing is answered from it
// until the client sends the document again.
import { createHash } from "node:crypto";
import { invalid } from "../../lib/errors.ts";
import { Rope } from "../../lib/structures/rope.ts";
import { EditOrigin } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Origin, Snippet } from "../completion.ts";
import { offset, textBytes } from "./check.ts";
import { limits } from "./limits.ts";

export interface Edit {
  readonly startUtf16: number;
  readonly endUtf16: number;
  readonly text: string;
}

/** The mirror does not match what the client has. */
export interface Mismatch {
  readonly heldVersion: bigint;
  readonly detail: string;
}

/** A newer client may know other ways. */
const origins: Partial<Record<EditOrigin, Origin>> = {
  [EditOrigin.TYPED]: "typed",
  [EditOrigin.PASTE]: "paste",
  [EditOrigin.UNDO]: "undo",
  [EditOrigin.ACCEPT]: "accept",
  [EditOrigin.FORMAT]: "format",
};

export class Document {
  readonly path: string;
  readonly language: string;
  readonly excluded: boolean;
  /** Other code that the client gathered for it. */
  snippets: readonly Snippet[] = [];
  readonly #bytesMax: number;
  #text: Rope;
  #version: bigint;
  #stale = false;
  /** Monotonic time of the last edit, for typing cadence. */
  #editedMs: number | undefined;
  readonly #openedMs: number;
  #origin: Origin = "unknown";
  /** Bytes that may be hashed now: grows with each edit that brings a hash, shrinks by the document with each check. */
  #hashable: number;

  constructor(options: {
    path: string;
    language: string;
    excluded: boolean;
    version: bigint;
    text: string;
    bytesMax: number;
    now?: number;
  }) {
    textBytes("document_open.text", options.text, options.bytesMax);
    this.path = options.path;
    this.language = options.language;
    this.excluded = options.excluded;
    this.#bytesMax = options.bytesMax;
    this.#openedMs = options.now ?? 0;
    this.#text = Rope.of(options.text);
    this.#hashable = this.#text.bytes;
    this.#version = options.version;
  }

  get text(): Rope {
    return this.#text;
  }

  get version(): bigint {
    return this.#version;
  }

  get stale(): boolean {
    return this.#stale;
  }

  get editedMs(): number | undefined {
    return this.#editedMs;
  }

  /** When it was edited last, or opened. */
  get touchedMs(): number {
    return this.#editedMs ?? this.#openedMs;
  }

  /** How the last edit came about. */
  get origin(): Origin {
    return this.#origin;
  }

  /** Applies all edits of a version step or none. Throws for edits that cannot be; returns a mismatch where a resync heals. */
  apply(step: {
    baseVersion: bigint;
    version: bigint;
    edits: readonly Edit[];
    sha256After: Uint8Array;
    origin?: EditOrigin;
    now: number;
  }): Mismatch | undefined {
    if (step.edits.length > limits.editsPerMessageMax)
      throw invalid("document_edit.edits", `more than ${limits.editsPerMessageMax}; send the document again instead`);
    if (this.#stale) return { heldVersion: 0n, detail: "the document is waiting for DocumentOpen" };
    if (step.baseVersion !== this.#version)
      return this.#mismatch(`edit is based on version ${step.baseVersion}, the mirror holds ${this.#version}`);
    if (step.version <= step.baseVersion) throw invalid("document_edit.version", "must be greater than base_version");
    let text = this.#text;
    for (const [i, edit] of step.edits.entries()) {
      const field = `document_edit.edits[${i}]`;
      if (edit.startUtf16 > edit.endUtf16)
        throw invalid(`${field}.start_utf16`, `${edit.startUtf16} is after end_utf16 ${edit.endUtf16}`);
      offset(`${field}.start_utf16`, edit.startUtf16, text);
      offset(`${field}.end_utf16`, edit.endUtf16, text);
      // Whole characters go out and come in, so the text stays well-formed without another look at all of it.
      textBytes(`${field}.text`, edit.text, this.#bytesMax);
      text = text.replace(edit.startUtf16, edit.endUtf16, edit.text);
    }
    if (text.bytes > this.#bytesMax) throw invalid("document_edit.edits", `make the document larger than ${this.#bytesMax} bytes`);
    this.#text = text;
    this.#version = step.version;
    this.#editedMs = step.now;
    this.#origin = origins[step.origin ?? EditOrigin.UNSPECIFIED] ?? "unknown";
    if (step.sha256After.length > 0 && this.#mayHash() && !sha256(text).equals(step.sha256After))
      return this.#mismatch("the text after the edit has another hash");
    return undefined;
  }

  /**
   * A hash costs the whole document, so of a large one not each is checked: the first after DocumentOpen, then so many that
   * an edit pays for `hashedBytesPerEdit` on average. Versions are always checked.
   */
  #mayHash(): boolean {
    const { bytes } = this.#text;
    this.#hashable = Math.min(this.#hashable, bytes) + limits.hashedBytesPerEdit;
    if (this.#hashable < bytes) return false;
    this.#hashable -= bytes;
    return true;
  }

  #mismatch(detail: string): Mismatch {
    this.#stale = true;
    return { heldVersion: this.#version, detail };
  }
}

/** Of the text as UTF-8. */
export function sha256(text: Rope): Buffer {
  const hash = createHash("sha256");
  for (const piece of text.pieces()) hash.update(piece, "utf8");
  return hash.digest();
}
