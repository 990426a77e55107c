// key: an API key as people copy it, "slp_ID_SECRET", and what is kept of it: its id and the SHA-256 of the whole. The prefix
// is for scanners of leaked secrets; the id is no secret: by it a key is found at once, and named in logs. A secret of 192
// random bits needs no slow hash: nobody can try them.
import { createHash } from "node:crypto";
import type { Random } from "../random.ts";

const idDigits = 12;
const secretDigits = 48;
const form = new RegExp(`^slp_([0-9a-f]{${idDigits}})_[0-9a-f]{${secretDigits}}$`);
const anywhere = new RegExp(`slp_([0-9a-f]{${idDigits}})_[0-9a-f]+`, "g");

export interface Key {
  /** Shown once, to whoever asked for it. */
  readonly text: string;
  readonly id: string;
}

export function createKey(random: Random): Key {
  const id = random.hex(idDigits);
  return { text: `slp_${id}_${random.hex(secretDigits)}`, id };
}

/** The id in a text that has the form of a key. */
export function keyIdOf(text: string): string | undefined {
  return form.exec(text)?.[1];
}

export function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Keys in a text for people, without their secrets. */
export function withoutSecrets(text: string): string {
  return text.includes("slp_") ? text.replace(anywhere, "slp_$1_…") : text;
}
