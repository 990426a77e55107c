// bench-peers: `slipstream bench peers`: our router and others side by side, before the same workers and the same typists.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pageOf } from "../bench/peers/page.ts";
import {
  benchPeers,
  type PeersOptions,
  type PeersPart,
  type ProfileName,
  peersParts,
  profileEnds,
  profileNames,
} from "../bench/peers/peers.ts";
import { jsonOf, tableOf } from "../bench/peers/report.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, number, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench peers [OPTIONS]

Slipstream with its own protocol, and other routers with editors that speak HTTP, before the same simulated GPUs: the same keys at
the same times, in rounds that take turns. Peers: SMG, vllm-router, Envoy, nobody (direct); "npm run tools -- smg vllm-router
envoy" brings them, and one that is missing is named and left out. Editors: naive (asks at every key, never cancels, a window
that slides), careful (75 ms of debounce, cancels, an anchored window), expert (suffix first, cancels, types through what it has).
GPUs and typists go more slowly than real ones, all by the same factor, so that a small machine is no part of the result.
docs/operations/bench-peers.md defines every figure. What has been measured is kept: a run that was interrupted goes on.

Options:
  --quick            two minutes: one end of one profile, one round, few typists
  --full             every profile, both ends, agreement 15, 30 and 45 %
  --profiles LIST    ${profileNames.join(", ")}
                     (default h100-7b-eagle3)
  --ends LIST        slow, mid, fast (default slow,fast)
  --agreement LIST   shares of lines that the model knows (default 0.3)
  --parts LIST       rounds: measured on this machine; capacity: developers a GPU, in virtual time; cost: of a router's processor;
                     ablation: what each mechanism of ours is worth (default all but ablation, with --full all; quick: rounds)
  --rounds N         (default 3)
  --people N         typists before each router (default 16)
  --workers N        at least 4 (default 4)
  --slots N          generations that a GPU runs at once (default 16)
  --dilation N       times as slowly (default 4)
  --lanes N          sides that are measured at the same time (default 7)
  --gpus N           in the search for developers a GPU (default 2)
  --seeds N          of our own figure there, for its band (default 2, with --full 3)
  --seed N           (default 1)
  --out DIR          where rounds are kept and the page is written (default reports/peers)
  --fresh            measure everything again
  --json             one JSON object instead of tables

Examples:
  slipstream bench peers --quick
  slipstream bench peers --json >peers.json
  slipstream bench peers --full --profiles l40s-3b-eagle3
`;

export const benchPeersCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    profiles: { type: "string" },
    ends: { type: "string" },
    agreement: { type: "string" },
    rounds: { type: "string" },
    people: { type: "string" },
    workers: { type: "string", default: "4" },
    slots: { type: "string", default: "16" },
    dilation: { type: "string" },
    lanes: { type: "string", default: "7" },
    parts: { type: "string" },
    gpus: { type: "string", default: "2" },
    seeds: { type: "string" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "reports/peers" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const { quick, full } = values;
  const profiles: readonly ProfileName[] = values.profiles
    ? listOf("profiles", values.profiles, profileNames)
    : full
      ? profileNames
      : ["h100-7b-eagle3"];
  const ends = listOf("ends", values.ends ?? (quick ? "slow" : "slow,fast"), profileEnds);
  const agreements = (values.agreement ?? (full ? "0.15,0.3,0.45" : "0.3"))
    .split(",")
    .map((each) => number("agreement", each, 0, 1));
  const cells = profiles.flatMap((profile) => ends.flatMap((end) => agreements.map((agreement) => ({ profile, end, agreement }))));
  const usual: readonly PeersPart[] = quick ? ["rounds"] : full ? peersParts : ["rounds", "capacity", "cost"];
  const made: PeersOptions = {
    cells,
    measured: full ? cells.filter(({ agreement }) => agreement === 0.3) : cells.slice(0, 1),
    parts: values.parts === undefined ? usual : listOf("parts", values.parts, peersParts),
    rounds: whole("rounds", values.rounds ?? (quick ? "1" : "3"), 1, 100),
    people: whole("people", values.people ?? (quick ? "6" : "16"), 1, 2_000),
    workers: whole("workers", values.workers, 4, 64),
    slots: whole("slots", values.slots, 1, 256),
    dilation: number("dilation", values.dilation ?? (quick ? "2" : "4"), 1, 100),
    attempts: quick ? 1 : 2,
    lanes: whole("lanes", values.lanes, 1, 32),
    gpus: whole("gpus", values.gpus, 1, 64),
    seeds: whole("seeds", values.seeds ?? (full ? "3" : "2"), 1, 20),
    seed: whole("seed", values.seed, 0, 1e6),
    ...{ maxTokens: 32, warmupSeconds: quick ? 3 : 5, seconds: quick ? 6 : 8 },
    cost: { rounds: 3, rate: 200, seconds: 6, documentBytes: 4_096 },
    stateFile: join(values.out, quick ? "quick.ndjson" : "measured.ndjson"),
    within: 0.06,
    fresh: values.fresh || quick,
  };
  const report = await benchPeers(made, { say: io.complain, signal: interruption(io), env: io.env });
  const page = join(values.out, "peers.html");
  writeFileSync(page, pageOf(report, made));
  io.out(values.json ? `${JSON.stringify(jsonOf(report, made))}\n` : tableOf(report, made));
  io.complain(`the page: ${page}`);
  return 0;
};
