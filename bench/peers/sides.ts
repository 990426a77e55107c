// sides: who is compared: our router with its own protocol, and every peer with every editor. A side's fleet is started here, on
// this machine or in virtual time.

import type { Program } from "../programs.ts";
import { type EditorName, editorNames } from "./editors.ts";
import type { Crowd, FleetOptions } from "./fleet.ts";
import { HttpFleet } from "./http-fleet.ts";
import { NativeFleet } from "./native-fleet.ts";
import { type PeerName, peerNames } from "./peer-table.ts";

export interface Side {
  readonly name: "slipstream" | PeerName;
  readonly editor: "native" | EditorName;
}

export const ours: Side = { name: "slipstream", editor: "native" };
export const sides: readonly Side[] = [ours, ...editorNames.flatMap((editor) => peerNames.map((name) => ({ name, editor })))];

export interface Machine {
  readonly dilation: number;
  readonly folder: string;
  readonly program: (name: PeerName) => Program | undefined;
}

export async function startSide(side: Side, options: FleetOptions, machine: Machine, signal: AbortSignal): Promise<Crowd> {
  const { dilation, folder } = machine;
  if (side.name === "slipstream") return NativeFleet.start({ ...options, dilation });
  const path = machine.program(side.name)?.path;
  const { name: peer, editor } = side as { name: PeerName; editor: EditorName };
  return HttpFleet.start({ ...options, dilation, folder, peer, editor, ...(path !== undefined && { program: path }) }, signal);
}
