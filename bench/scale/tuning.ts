// tuning: families of settings, in each the safest first, and what training days make of one in; the setting that a careful person would
// freeze out: the cheapest that holds the goal, found by halving; where none does, the safest that holds most.
import type { Setting } from "./contenders.ts";
import { type DayScore, holdsGoal } from "./run.ts";

export function tuned(families: readonly (readonly Setting[])[], trained: (setting: Setting) => readonly DayScore[]): Setting {
  const [only] = families[0] ?? [];
  if (families.length === 1 && families[0]?.length === 1) return only as Setting;
  const found = families.map((family) => cheapestOf(family, trained));
  return found.reduce((a, b) => (better(b, a) ? b : a)).setting;
}

interface Found {
  readonly setting: Setting;
  readonly days: readonly DayScore[];
}

function cheapestOf(family: readonly Setting[], trained: (setting: Setting) => readonly DayScore[]): Found {
  const at = (index: number): Found => ({ setting: family[index] as Setting, days: trained(family[index] as Setting) });
  let best = at(0);
  if (!holdsGoal(best.days)) return best;
  for (let low = 0, high = family.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    const tried = at(middle);
    if (holdsGoal(tried.days)) [low, best] = [middle, tried];
    else high = middle;
  }
  return best;
}

const sum = (days: readonly DayScore[], of: "gpuHours" | "held") => days.reduce((total, day) => total + day[of], 0);

function better(a: Found, b: Found): boolean {
  const [holdsA, holdsB] = [holdsGoal(a.days), holdsGoal(b.days)];
  if (holdsA !== holdsB) return holdsA;
  return holdsA ? sum(a.days, "gpuHours") < sum(b.days, "gpuHours") : sum(a.days, "held") > sum(b.days, "held");
}
