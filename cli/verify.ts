// verify: `slipstream worker --probe URL --verify`: what of the engines' contract a running engine keeps, item by item as it is tried,
// then as a table, and into a file to send on.
import { writeFile } from "node:fs/promises";
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { systemRandom } from "../lib/random.ts";
import { type Verified, type VerifyEngineOptions, type VerifyReport, verifyEngine } from "../workers/wire-verify.ts";
import type { Io } from "./command.ts";
import { interruption } from "./options.ts";

type Options = Omit<VerifyEngineOptions, "env"> & { readonly json: boolean; readonly report: string | undefined };

const signs: Readonly<Record<Verified["became"], string>> = {
  held: "held",
  broken: "BROKEN",
  lacking: "not there",
  more: "THERE",
  not_tried: "not tried",
};

/** 0: all held; 1: something is broken. */
export async function verify({ json, report: path, ...options }: Options, io: Io): Promise<number> {
  const signal = interruption(io);
  const report = await verifyEngine(
    { ...options, env: io.env },
    {
      ...{ clock: systemClock, random: systemRandom(), signal },
      say: (about) => io.complain(`${about} …`),
      progress: ({ name }, verified, { number, all }) => {
        const at = `${String(number).padStart(2)}/${all}`;
        if (verified) io.complain(`${at} ${signs[verified.became].padEnd(9)} ${took(verified)}  ${name}`);
      },
    },
  );
  io.out(json ? `${JSON.stringify(report)}\n` : drawn(report));
  if (path !== undefined) {
    await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
    io.complain(`the report is in ${path}`);
  }
  if (signal.aborted) throw new SlipstreamError("cancelled", "interrupted; what was tried until then is shown");
  return report.broken > 0 ? 1 : 0;
}

function took({ ms }: Verified): string {
  return `${(ms / 1_000).toFixed(1).padStart(6)} s`;
}

export function drawn(report: VerifyReport): string {
  const { server, version, engine, models, items, broken, not_tried: notTried, timings } = report;
  const row = (each: Verified) => [
    `  ${signs[each.became].padEnd(9)} ${took(each)}  ${each.name}`,
    ...(each.why === "" ? [] : [`                       ${each.why}`]),
  ];
  const promises = items.filter(({ ability }) => ability === undefined);
  const able = items.filter(({ ability }) => ability !== undefined);
  const lines = [
    `${server} ${version}, served from with --engine ${engine}; Slipstream ${report.slipstream}, Node ${report.node}`,
    ...models.map(({ name, contextTokens }) => `  model ${name}, context ${contextTokens ?? "unknown"}`),
    counts[report.own_count],
    ...["", "What every engine keeps:", ...promises.flatMap(row)],
    ...["", "What it can do beyond:", ...able.flatMap(row)],
    "",
    ...(timings ? [...timed(timings), ""] : []),
    broken === 0
      ? `All that was tried held${notTried > 0 ? `; ${notTried} not tried` : ""}.`
      : `${broken} of ${items.length} broken${notTried > 0 ? `, ${notTried} not tried` : ""}.`,
  ];
  return `${lines.join("\n")}\n`;
}

const counts: Readonly<Record<VerifyReport["own_count"], string>> = {
  used: "  by its own count of what runs there, what is stopped has stopped",
  none: "  it has no count of what runs there: what is stopped is known by the agent alone",
  others: "  others use it: its count of what runs there says nothing, and what was measured is theirs too",
};

function timed({ rounds, ...all }: NonNullable<VerifyReport["timings"]>): string[] {
  const what: Readonly<Record<keyof typeof all, string>> = {
    first_ms: "first text of a new prompt",
    again_first_ms: "first text of the same prompt again",
    token_ms: "a token after it",
    stop_ms: "from a stop until its end is known",
    back_ms: "from a stop until its own count is back",
  };
  return [
    `Times in ms, of ${rounds} generations each (half of them, most):`,
    ...(Object.keys(what) as (keyof typeof all)[]).flatMap((key) => {
      const spread = all[key];
      return spread ? [`  ${what[key].padEnd(40)} ${String(spread.p50).padStart(8)} ${String(spread.most).padStart(8)}`] : [];
    }),
  ];
}
