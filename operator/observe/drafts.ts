// drafts: what the workers of a pool say of their drafts in, what holds for the pool out: the share that was right over all of them,
// and the length that most of those recommend whose engines have one. Pure.
import type { DraftReport } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { PoolFigures } from "../pool.ts";

export function draftsOf(reports: readonly DraftReport[]): Pick<PoolFigures, "acceptance" | "recommended" | "drafts"> {
  const sum = (of: "drafted" | "accepted") => reports.reduce((all, report) => all + Number(report[of]), 0);
  const drafted = sum("drafted");
  if (drafted === 0) return { acceptance: undefined, recommended: recommended(reports), drafts: undefined };
  const accepted = sum("accepted");
  return {
    ...{ acceptance: accepted / drafted, recommended: recommended(reports) },
    drafts: { drafted, accepted, shares: sharesOf(reports) },
  };
}

/** By place, over all workers; of those that draft otherwise than most of them only what they have in common counts. */
function sharesOf(reports: readonly DraftReport[]): number[] {
  const places = Math.min(...reports.filter(({ drafted }) => drafted > 0n).map(({ acceptedShare }) => acceptedShare.length));
  return Array.from({ length: places }, (_, place) => {
    const all = reports.reduce((sum, { drafted }) => sum + Number(drafted), 0);
    return reports.reduce((sum, { drafted, acceptedShare }) => sum + Number(drafted) * (acceptedShare[place] ?? 0), 0) / all;
  });
}

/** A revision is for all: what half of them want is not what the pool wants. */
function recommended(reports: readonly DraftReport[]): PoolFigures["recommended"] {
  const fixed = reports.filter(({ tokens }) => tokens > 0);
  const votes = new Map<string, DraftReport[]>();
  for (const report of fixed) {
    if (report.recommendedTokens === undefined) continue;
    const vote = `${report.tokens} ${report.recommendedTokens}`;
    votes.set(vote, [...(votes.get(vote) ?? []), report]);
  }
  const [first] = votes.values();
  const most = [...votes.values()].reduce((one, other) => (other.length > one.length ? other : one), first ?? []);
  const [one] = most;
  if (one?.recommendedTokens === undefined || most.length * 2 <= fixed.length) return undefined;
  const gain = most.reduce((all, report) => all + report.gain, 0) / most.length;
  return { tokens: one.recommendedTokens, now: one.tokens, gain };
}
