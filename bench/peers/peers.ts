// peers: `slipstream bench peers`: routers side by side: ours with its own protocol, and others with editors of every manner, before
// the same pretend GPUs and the same typists. Options in, the report out. docs/operations/bench-peers.md defines every figure.
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, type Program } from "../programs.ts";
import { type Ablated, Answers, ablated, type Band } from "./answers.ts";
import type { Capacity } from "./capacity.ts";
import { type Cost, type CostOptions, measureCost } from "./cost.ts";
import type { Figures } from "./fleet.ts";
import { type Headline, headlines, sentenceOf } from "./headline.ts";
import { type PeerName, peerNames, peers } from "./peer-table.ts";
import { type Cell, measureCell, type Round, type RoundsOptions } from "./rounds.ts";
import { ours, type Side, sides } from "./sides.ts";
import { peerSources } from "./sources.ts";
import { State } from "./state.ts";
import { Threads } from "./threads.ts";
import { programVersion } from "./version.ts";

export { type ProfileName, profileEnds, profileNames } from "../../workers/engine/simulated/profiles.ts";

export const peersParts = ["rounds", "capacity", "cost", "ablation"] as const;
export type PeersPart = (typeof peersParts)[number];

export interface PeersOptions extends RoundsOptions {
  /** Those of them that are measured on this machine too; the rest is told by virtual time alone. */
  readonly measured: readonly Cell[];
  readonly cells: readonly Cell[];
  readonly parts: readonly PeersPart[];
  /** Of a search in virtual time. */
  readonly gpus: number;
  readonly seeds: number;
  readonly within: number;
  readonly cost: CostOptions;
  readonly stateFile: string;
  readonly fresh: boolean;
}

interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CellReport {
  readonly cell: Cell;
  readonly sides: readonly Side[];
  /** Empty where nothing was measured. */
  readonly rounds: ReadonlyMap<Side, readonly Round[]>;
  /** By virtual time: with the crowd of the rounds, and how large a crowd may be. */
  readonly predicted: ReadonlyMap<Side, Figures>;
  readonly developers: ReadonlyMap<Side, Band>;
  readonly headlines: readonly Headline[];
}

export interface PeersReport {
  readonly cells: readonly CellReport[];
  readonly ablation: { readonly cell: Cell; readonly rows: Partial<Record<Ablated, Capacity>> } | undefined;
  readonly cost: ReadonlyMap<string, Cost>;
  readonly missing: readonly { readonly name: PeerName; readonly why: string }[];
  readonly programs: Readonly<Record<string, string>>;
  /** Figures of it that another version of this program measured. */
  readonly others: number;
}

export async function benchPeers(options: PeersOptions, { say, signal, env }: Deps): Promise<PeersReport> {
  const wanted = new Set(options.parts);
  // Every side, and each of its people, hears of the interrupt.
  setMaxListeners(0, signal);
  const folder = mkdtempSync(join(tmpdir(), "slipstream-peers-"));
  const state = new State(options.stateFile, { ...options, version: programVersion() });
  const { programs, missing } = found(env);
  for (const { name, why } of missing) say(`${name}: ${why}`);
  const present = sides.filter(({ name }) => !missing.some((each) => each.name === name));
  const program = (name: PeerName) => programs.get(name);
  const machine = { dilation: options.dilation, folder, program };
  using threads = new Threads(wanted.has("capacity") || wanted.has("ablation") ? {} : { threads: 1 }, { signal });
  try {
    const measured = new Map<Cell, Map<Side, Round[]>>();
    for (const cell of wanted.has("rounds") ? options.measured : []) {
      const deps = { machine, state, sources: peerSources(), say, signal };
      measured.set(cell, await measureCell(cell, present, options, deps));
    }
    // Ahead of the searches, which take every core.
    const cost = wanted.has("cost") ? await measureCost(options.cost, { program, state, say, signal }) : new Map<string, Cost>();
    const answers = new Answers(options, { threads, state, say });
    const cells: CellReport[] = [];
    for (const cell of wanted.has("rounds") || wanted.has("capacity") ? options.cells : []) {
      const { people, workers } = options;
      const predicted = new Map(
        await Promise.all(
          sides.map(async (side) => [side, await answers.predicted(cell, side, people, workers)] as [Side, Figures]),
        ),
      );
      const developers = wanted.has("capacity") ? await answers.cell(cell, sides) : new Map<Side, Band>();
      const of = { headlines: headlines(developers), rounds: measured.get(cell) ?? new Map<Side, Round[]>() };
      for (const each of of.headlines) say(`${cell.profile} ${cell.end} ${100 * cell.agreement} %, ${sentenceOf(each)}`);
      cells.push({ cell, sides, predicted, developers, ...of });
    }
    const [cell] = options.cells;
    const mine = cells[0]?.developers.get(ours)?.developers_per_gpu;
    const names = Object.keys(ablated) as Ablated[];
    const ablation = cell && wanted.has("ablation") ? { cell, rows: await answers.ablation(cell, names, mine) } : undefined;
    const versions = Object.fromEntries([...programs].flatMap(([name, each]) => (each ? [[name, each.version]] : [])));
    if (state.others > 0)
      say(`${state.others} of these figures are of another version of this program; --fresh measures them again`);
    return { cells, ablation, cost, missing, programs: versions, others: state.others };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function found(env: Deps["env"]) {
  const programs = new Map<PeerName, Program | undefined>();
  for (const name of peerNames) {
    const { tool } = peers[name];
    if (tool) programs.set(name, findProgram(tool, env));
  }
  const missing = [...programs].flatMap(([name, program]) =>
    program ? [] : [{ name, why: `not installed; "npm run tools -- ${peers[name].tool}" brings it` }],
  );
  return { programs, missing };
}
