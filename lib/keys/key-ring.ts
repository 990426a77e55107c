// key-ring: whose an API key is, by a file of hashes. A line a key: `TENANT ID sha256:HEX`, with `until=DATE` for one that
// ends; "@admin" in the tenant's place is for whoever may read a process's admin port. Two lines of one tenant are two valid
// keys: that is how a key is changed without an outage. A key is found by its id, then compared in constant time.
import { timingSafeEqual } from "node:crypto";
import { wallOf } from "../clock.ts";
import { digestOf, type Key, keyIdOf } from "./key.ts";

export const adminTenant = "@admin";
const tenantForm = /^(@admin|[A-Za-z0-9_-]{1,64})$/;
const idForm = /^[0-9a-f]{12}$/;
const digestForm = /^sha256:([0-9a-f]{64})$/;
const dateForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/;
/** Keys of one file: two for each of the tenants a policy may name. A change is read on the one thread, some 85 ms for so many. */
const keysMax = 20_000;
/** So many wrong lines are named; who has more sees the pattern. */
const problemsMax = 8;

interface Held {
  readonly tenant: string;
  readonly digest: Buffer;
  /** Wall clock; Infinity: it does not end. */
  readonly untilMs: number;
}

/** What is remembered of a key that was let in, to ask later whether it still would be. */
export interface Entry {
  readonly tenant: string;
  readonly id: string;
  readonly digest: Buffer;
}

export type Found = Entry | { readonly refused: "unknown" | "ended" };

export class KeyRing {
  readonly #held: ReadonlyMap<string, Held>;

  private constructor(held: ReadonlyMap<string, Held>) {
    this.#held = held;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The keys of a file; throws one Error that lists what is wrong by line, without what the line holds. */
  static parse(text: string, path: string): KeyRing {
    const held = new Map<string, Held>();
    const problems: string[] = [];
    // A file cut to nothing is more often a copy that went wrong than the wish to lock everybody out; a comment says the latter.
    if (text.trim() === "") throw new Error(`${path}: is empty; to take every key back leave a comment line`);
    for (const [i, line] of text.split(/\r?\n/).entries()) {
      const words = line.replace(/#.*/, "").trim();
      if (words === "") continue;
      const problem = held.size >= keysMax ? `more than ${keysMax} keys` : add(held, words);
      if (problem) problems.push(`line ${i + 1}: ${problem}`);
    }
    if (problems.length === 0) return new KeyRing(held);
    const more = problems.length > problemsMax ? `; and ${problems.length - problemsMax} more` : "";
    throw new Error(`${path}: ${problems.slice(0, problemsMax).join("; ")}${more}`);
  }

  /** For who made the keys himself: tests and the simulation. */
  static of(keys: readonly { readonly tenant: string; readonly text: string }[]): KeyRing {
    return KeyRing.parse(
      `# keys\n${keys.map(({ tenant, text }) => keyLine(tenant, { text, id: keyIdOf(text) ?? "" })).join("\n")}`,
      "keys",
    );
  }

  find(text: string, wallMs: number): Found {
    const id = keyIdOf(text);
    return id === undefined ? { refused: "unknown" } : this.#find(id, digestOf(text), wallMs);
  }

  /** Is a key that was let in before still this tenant's? */
  holds({ tenant, id, digest }: Entry, wallMs: number): boolean {
    const found = this.#find(id, digest, wallMs);
    return !("refused" in found) && found.tenant === tenant;
  }

  #find(id: string, digest: Buffer, wallMs: number): Found {
    const held = this.#held.get(id);
    if (!held || !timingSafeEqual(held.digest, digest)) return { refused: "unknown" };
    return wallMs < held.untilMs ? { tenant: held.tenant, id, digest } : { refused: "ended" };
  }
}

/** The line of a file by which a key is known. */
export function keyLine(tenant: string, { text, id }: Key, until?: string): string {
  return `${tenant} ${id} sha256:${digestOf(text).toString("hex")}${until === undefined ? "" : ` until=${until}`}`;
}

/** What is wrong with a tenant's name, or a day, as they stand in a line. */
export const tenantProblem = (tenant: string) =>
  tenantForm.test(tenant) ? undefined : 'a tenant is 1 to 64 letters, digits, "_" and "-"';
export const untilProblem = (until: string) =>
  dateForm.test(until) && Number.isFinite(wallOf(until))
    ? undefined
    : "until is a day as 2027-01-31, or a time as 2027-01-31T12:00Z";

function add(held: Map<string, Held>, words: string): string | undefined {
  const [tenant = "", id = "", hash = "", ...more] = words.split(/\s+/);
  // Said first: it is the one mistake that leaks something.
  if (words.includes("slp_")) return "holds a key itself; the file takes its line (slipstream key create)";
  const wrong = tenantProblem(tenant);
  if (wrong) return wrong;
  if (!idForm.test(id)) return "the second word is the id of a key, 12 hexadecimal digits";
  const digest = digestForm.exec(hash)?.[1];
  if (digest === undefined) return 'the third word is "sha256:" and 64 hexadecimal digits';
  const [option, extra] = more;
  if (extra !== undefined || (option !== undefined && !option.startsWith("until=")))
    return "after the hash comes until=DATE or nothing";
  const until = option?.slice("until=".length);
  const late = until === undefined ? undefined : untilProblem(until);
  if (late) return late;
  if (held.has(id)) return `the id ${id} stands in an earlier line`;
  held.set(id, {
    tenant,
    digest: Buffer.from(digest, "hex"),
    untilMs: until === undefined ? Number.POSITIVE_INFINITY : wallOf(until),
  });
  return undefined;
}
