// drafts: what an engine guessed ahead of late and how much it should in, as the worker says it on the bus out. Pure.
import { create } from "@bufbuild/protobuf";
import { type DraftReport, DraftReportSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import type { Acceptance, Recommendation } from "./generation.ts";

/** Undefined: it guessed nothing in the last minute. */
export function draftsOf(
  { drafted, accepted, perPosition }: Acceptance,
  recommendation: Recommendation | undefined,
): DraftReport | undefined {
  if (drafted === 0) return undefined;
  const { now = 0, tokens = 0, gain = 0 } = recommendation ?? {};
  return create(DraftReportSchema, {
    ...{ drafted: BigInt(drafted), accepted: BigInt(accepted), tokens: now },
    acceptedShare: perPosition.map((place) => (place.drafted === 0 ? 0 : place.accepted / place.drafted)),
    ...(tokens === now ? {} : { recommendedTokens: tokens, gain }),
  });
}
