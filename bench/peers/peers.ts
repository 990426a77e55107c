// peers: `slipstream bench peers`: routers side by side: ours with its own protocol, and others with editors of every manner, before
// the same pretend GPUs and the same typists. Options in, the report out. docs/operations/bench-peers.md defines every figure.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerName } from "./peer-table.ts";
import { peers } from "./peer-table.ts";
import { findProgram, type Program } from "./programs.ts";
import { type Cell, measureCell, type Round, type RoundsOptions } from "./rounds.ts";
import { type Side, sides } from "./sides.ts";
import { peerSources } from "./sources.ts";
import { State } from "./state.ts";

export { type ProfileName, profileEnds, profileNames } from "../../workers/engine/simulated/profiles.ts";

export interface PeersOptions extends RoundsOptions {
  readonly cells: readonly Cell[];
  readonly stateFile: string;
  readonly fresh: boolean;
}

export interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface PeersReport {
  readonly cells: readonly { readonly cell: Cell; readonly rounds: ReadonlyMap<Side, readonly Round[]> }[];
  readonly missing: readonly { readonly name: PeerName; readonly why: string }[];
  readonly programs: Readonly<Record<string, string>>;
}

export async function benchPeers(options: PeersOptions, { say, signal, env }: Deps): Promise<PeersReport> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-peers-"));
  const state = new State(options.stateFile, options);
  const programs = new Map<PeerName, Program | undefined>();
  for (const name of Object.keys(peers) as PeerName[]) {
    const { tool } = peers[name];
    if (tool) programs.set(name, findProgram(tool, env));
  }
  const missing = [...programs].flatMap(([name, program]) =>
    program ? [] : [{ name, why: `not installed; "npm run tools -- ${peers[name].tool}" brings it` }],
  );
  for (const { name, why } of missing) say(`${name}: ${why}`);
  const present = sides.filter(({ name }) => !missing.some((each) => each.name === name));
  const machine = { dilation: options.dilation, folder, program: (name: PeerName) => programs.get(name) };
  try {
    const cells = [];
    for (const cell of options.cells) {
      const deps = { machine, state, sources: peerSources(), say, signal };
      cells.push({ cell, rounds: await measureCell(cell, present, options, deps) });
    }
    return {
      cells,
      missing,
      programs: Object.fromEntries([...programs].flatMap(([name, found]) => (found ? [[name, found.version]] : []))),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
