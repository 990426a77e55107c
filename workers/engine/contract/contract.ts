// contract: an engine in, what of the contract it keeps out: the promises of every engine, then each ability of the table: there where
// the table has it, and not there where it has not. One list for all engines, pretended and real; nothing here knows one of them.
import assert from "node:assert/strict";
import { type Ability, abilities, type EngineKind, engineKinds } from "./abilities.ts";
import { type Check, deathIsTold, promises } from "./promises.ts";
import { shown } from "./shown.ts";
import type { Subject } from "./trying.ts";

export type { Subject } from "./trying.ts";

export interface Item {
  /** A sentence. */
  readonly name: string;
  readonly check: Check;
  /** Undefined: a promise, which every engine keeps. */
  readonly ability?: Ability;
  /** Of an ability that the table has not: it must not be there. */
  readonly lacking?: true;
}

/** Whether this engine has an ability, by the table and by how it was started. */
function has({ kind, has: more = [] }: Pick<Subject, "kind" | "has">, ability: Ability): boolean {
  const [cell] = (engineKinds[kind] as EngineKind).can[ability];
  return cell === "yes" || (cell === "depends" && more.includes(ability));
}

/** In the order in which they are run. The last one ends the engine, where somebody may kill it. */
export function contractFor(about: Pick<Subject, "kind" | "has"> & { readonly mayKill: boolean }): Item[] {
  const kept = Object.entries(promises).map(([name, check]) => ({ name, check }));
  const able = (Object.keys(abilities) as Ability[]).map((ability) =>
    has(about, ability)
      ? { name: `it ${abilities[ability]}`, check: shown[ability], ability }
      : {
          ...{ name: `as the table says, it has not: it ${abilities[ability]}`, check: lacks(shown[ability]) },
          ...{ ability, lacking: true as const },
        },
  );
  const last = about.mayKill
    ? [{ name: "its death fails what runs, is told, and fails what comes after", check: deathIsTold }]
    : [];
  return [...kept, ...able, ...last];
}

/** An ability that an engine has and the table does not know of is a table that has grown old. */
function lacks(check: Check): Check {
  return async (subject) => {
    const thrown = await check(subject).then(
      () => undefined,
      (why: unknown) => why,
    );
    assert.ok(thrown !== undefined, "it is there all the same: say so in workers/engine/contract/abilities.ts");
  };
}
