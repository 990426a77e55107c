// plan: `slipstream plan`: so many developers and a profile in, GPUs out: what one GPU serves is looked for in virtual time, at both
// ends of the profile, for each share of lines that the model may know; how many developers write at once comes from a simulated
// day, or is all of them.
import { type Day, dayOf } from "../../sim/day.ts";
import type { ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { Answers, type AnswersOptions, type Band } from "./answers.ts";
import { ours } from "./sides.ts";
import { State } from "./state.ts";
import { Threads } from "./threads.ts";
import { programVersion } from "./version.ts";

export interface PlanOptions extends AnswersOptions {
  readonly developers: number;
  readonly profile: ProfileName;
  readonly agreements: readonly number[];
  /** As a share of all at most: GPUs are planned for the busiest minute of a day; without it all write at once. */
  readonly day: boolean;
  /** GPUs that may be away. */
  readonly spare: number;
  readonly stateFile: string;
}

interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface PlanRow {
  readonly agreement: number;
  readonly end: "slow" | "fast";
  readonly developers_per_gpu: Pick<Band, "developers_per_gpu" | "low" | "high">;
  /** null: not one developer is served within the goal. */
  readonly gpus: { readonly likely: number; readonly most: number } | null;
}

export interface Plan {
  readonly writing_at_once: number;
  readonly day: Omit<Day, "writing"> | undefined;
  /** GPUs that are needed in each hour of the day, by the first row. */
  readonly gpus_by_hour: readonly number[] | undefined;
  readonly rows: readonly PlanRow[];
}

export async function planFor(options: PlanOptions, { say, signal }: Deps): Promise<Plan> {
  const { developers, seed, profile, agreements } = options;
  const day = options.day ? dayOf({ developers, seed }) : undefined;
  const writing = day ? Math.ceil(day.peak_share * developers) : developers;
  using threads = new Threads({}, { signal });
  const answers = new Answers(options, {
    threads,
    state: new State(options.stateFile, { version: programVersion(), ownOnly: true }),
    say,
  });
  const cells = agreements.flatMap((agreement) => (["slow", "fast"] as const).map((end) => ({ profile, end, agreement })));
  const rows = await Promise.all(
    cells.map(async (cell) => {
      const band = (await answers.cell(cell, [ours])).get(ours) as Band;
      return rowOf(cell, band, writing, options.spare);
    }),
  );
  const [first] = rows;
  const per = first?.developers_per_gpu.developers_per_gpu ?? 0;
  return {
    writing_at_once: writing,
    day: day && { peak_share: day.peak_share, mean_share: day.mean_share, keys_per_developer: day.keys_per_developer },
    gpus_by_hour: day && per > 0 ? byHour(day, per, options.spare) : undefined,
    rows,
  };
}

export function rowOf(
  { agreement, end }: { readonly agreement: number; readonly end: "slow" | "fast" },
  { developers_per_gpu, low, high }: Pick<Band, "developers_per_gpu" | "low" | "high">,
  writing: number,
  spare: number,
): PlanRow {
  const gpus = (per: number) => Math.ceil(writing / per) + spare;
  return {
    ...{ agreement, end, developers_per_gpu: { developers_per_gpu, low, high } },
    gpus: low > 0 ? { likely: gpus(developers_per_gpu), most: gpus(low) } : null,
  };
}

/** For the busiest minute of each hour. */
function byHour({ writing }: Day, per: number, spare: number): number[] {
  return Array.from(
    { length: Math.ceil(writing.length / 60) },
    (_, hour) => Math.ceil(Math.max(...writing.slice(hour * 60, (hour + 1) * 60)) / per) + spare,
  );
}
