import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DraftReportSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { draftsOf } from "./drafts.ts";

type Report = MessageInitShape<typeof DraftReportSchema>;
const counts = { drafted: 100n, accepted: 60n };

test.each<[name: string, reports: Report[], acceptance: number | undefined, tokens: number | undefined]>([
  ["nobody says anything", [], undefined, undefined],
  ["an engine that decides itself", [counts], 0.6, undefined],
  ["busy workers count for more than idle ones", [counts, { drafted: 900n, accepted: 0n }], 0.06, undefined],
  ["all recommend the same", [0, 1].map(() => ({ ...counts, tokens: 4, recommendedTokens: 2, gain: 0.1 })), 0.6, 2],
  ["none at all is a recommendation too", [{ ...counts, tokens: 4, recommendedTokens: 0, gain: 0.2 }], 0.6, 0],
  [
    "half of them is not the pool",
    [
      { ...counts, tokens: 4, recommendedTokens: 2, gain: 0.1 },
      { ...counts, tokens: 4 },
    ],
    0.6,
    undefined,
  ],
  [
    "in a rollout those of the old length do not speak for the new one",
    [4, 4, 2].map((tokens) => ({ ...counts, tokens, ...(tokens === 4 && { recommendedTokens: 2, gain: 0.1 }) })),
    ...([0.6, 2] as const),
  ],
])("%s", (_, reports, acceptance, tokens) => {
  const drafts = draftsOf(reports.map((report) => create(DraftReportSchema, report)));
  expect([drafts.acceptance, drafts.recommended?.tokens]).toEqual([acceptance, tokens]);
});

test.each<[name: string, reports: Report[], drafts: object | undefined]>([
  ["nobody drafts", [{}], undefined],
  [
    "places count by how much was drafted",
    [
      { drafted: 300n, accepted: 150n, acceptedShare: [0.75, 0.5, 0.25] },
      { drafted: 100n, accepted: 10n, acceptedShare: [0.25, 0, 0] },
    ],
    { drafted: 400, accepted: 160, shares: [0.625, 0.375, 0.1875] },
  ],
  [
    "an engine that knows no places leaves what the others have in common",
    [
      { drafted: 100n, accepted: 50n, acceptedShare: [0.75, 0.25] },
      { drafted: 100n, accepted: 40n, acceptedShare: [0.5] },
    ],
    { drafted: 200, accepted: 90, shares: [0.625] },
  ],
])("of drafts by place: %s", (_, reports, drafts) => {
  expect(draftsOf(reports.map((report) => create(DraftReportSchema, report))).drafts).toEqual(drafts);
});
