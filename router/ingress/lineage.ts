// lineage: which document a stateless call that names none belongs to. Clients of plain HTTP and of `Complete` often neither
// name what they edit nor cancel; but a prefix that goes on from an earlier one by a few typed or deleted characters, before
// the same text, asked by the same caller, is the next key in the same place. Its call then has the earlier one's document, and
// so retires it. Bounded per tenant; forgets what is not gone on with. What is not plain is a document of its own.
import { createHash } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { detached } from "../../lib/structures/rope.ts";

export interface LineageOptions {
  /** Places remembered for one tenant. */
  readonly placesMax: number;
  readonly tenantsMax: number;
  readonly ttlMs: number;
}

export interface Asked {
  readonly tenant: string;
  /** Who asks within the tenant, as far as it can be told: connection or address and program. */
  readonly caller: string;
  /** Model, path, language: what a place is besides its text. */
  readonly scope: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** Keys of a call that names neither. */
export interface Names {
  readonly session: string;
  readonly document: string;
}

interface Place {
  readonly names: Names;
  readonly tail: string;
  readonly prefixLength: number;
}

/** Typed or deleted since the call before: one key, or a few while the client waited. */
const stepUtf16Max = 16;
/** Text around the cursor that must be the same: with less, two short files look like one. */
const evidenceUtf16Min = 64;
/** Of the prefix's end; more than any client's step moves. */
const tailUtf16 = 256;
/** Of the text after the cursor. A client may cut it anywhere behind. */
const headUtf16 = 128;
/** Places of one caller before the same text: a cursor in each of a few copies. */
const branchesMax = 4;

export class Lineage {
  readonly #options: LineageOptions;
  readonly #clock: Clock;
  readonly #tenants: Lru<Lru<readonly Place[]>>;

  constructor(options: LineageOptions, deps: { clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#tenants = new Lru({ max: options.tenantsMax });
  }

  /** The names of the call that this one plainly continues, else `fresh`. */
  namesOf(asked: Asked, fresh: Names): Names {
    const now = this.#clock.now();
    const places = this.#placesOf(asked.tenant, now);
    const head = asked.suffix.slice(0, headUtf16);
    const key = digest([asked.caller, asked.scope, head]);
    const known = places.get(key, now) ?? [];
    const tail = detached(asked.prefix.slice(-tailUtf16));
    const before = known.find((place) => continues(place, asked.prefix, tail, head.length));
    const names = before?.names ?? fresh;
    const here: Place = { names, tail, prefixLength: asked.prefix.length };
    places.set(key, [here, ...known.filter((place) => place !== before)].slice(0, branchesMax), now);
    return names;
  }

  #placesOf(tenant: string, now: number): Lru<readonly Place[]> {
    const known = this.#tenants.get(tenant, now);
    if (known) return known;
    const { placesMax, ttlMs } = this.#options;
    const made = new Lru<readonly Place[]>({ max: placesMax, ttlMs });
    this.#tenants.set(tenant, made, now);
    return made;
  }
}

/**
 * Is one prefix the other and 1…stepUtf16Max units more? A client may move the start of its window meanwhile, so that ends
 * are compared; an equal prefix is no next key but the same question again, which is answered from the same generation.
 */
function continues(place: Place, prefix: string, tail: string, headLength: number): boolean {
  const whole = Math.max(prefix.length, place.prefixLength) <= tailUtf16;
  for (let step = 1; step <= stepUtf16Max; step++) {
    if (goesOn(place.tail, tail, step, whole, headLength) || goesOn(tail, place.tail, step, whole, headLength)) return true;
  }
  return false;
}

/** Does `longer` end like `shorter` and `step` units more? Where both are whole, they must also begin alike. */
function goesOn(shorter: string, longer: string, step: number, whole: boolean, headLength: number): boolean {
  const common = longer.length - step;
  const shared = Math.min(common, shorter.length);
  if (shared + headLength < evidenceUtf16Min || shared <= 0) return false;
  if (whole && common !== shorter.length) return false;
  return longer.slice(common - shared, common) === shorter.slice(shorter.length - shared);
}

function digest(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("base64url");
}
