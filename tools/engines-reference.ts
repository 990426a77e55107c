// engines-reference: the table of engines and abilities in, its reference page in Markdown out. Pure.
import { type Ability, abilities, type EngineKind, engineKinds } from "../workers/engine/contract/abilities.ts";
import { promises } from "../workers/engine/contract/promises.ts";
import { table } from "./proto-reference.ts";

export function enginesPage(kinds: Readonly<Record<string, EngineKind>> = engineKinds): string {
  const all = Object.values(kinds);
  const rows = (Object.entries(abilities) as [Ability, string][]).map(([ability, sentence]) => [
    sentence,
    ...all.map(({ can }) => {
      const [has, how] = can[ability];
      return how === "" ? has : `${has}: ${how}`;
    }),
  ]);
  const stops = ["a generation is stopped there by", ...all.map(({ stop }) => stop)];
  const settings = ["`SLIPSTREAM_WORKER_ENGINE`", ...all.map(({ setting }) => `\`${setting}\``)];
  return [
    "# Engines and what they can do",
    "Generated from `workers/engine/contract/` by `npm run generate`; do not edit.",
    'One suite is held against every engine (`npx vitest run --project integration test/integration/engine-contract.test.ts`, real ones by `npm run test:system`). It shows each cell of the table: that what stands as had is there, and that what stands as lacking is not. "depends" is on the engine\'s flags or on which server it is; the agent asks for it at the start and says what is missing (`slipstream worker --probe URL`).',
    table(["", ...all.map(({ title }) => title)], [settings, ...rows, stops]),
    "## What every engine keeps",
    `${Object.keys(promises)
      .map((sentence) => `- ${sentence}`)
      .join("\n")}\n- its death fails what runs, is told, and fails what comes after\n`,
  ].join("\n\n");
}
