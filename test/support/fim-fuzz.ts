// fim-fuzz: random code full of special tokens, of every family, whole, cut and doubled, through the rooms that make a prompt;
// what comes out is held against what must never happen. Two tenants share the rooms, and one path is excluded.
import { create } from "@bufbuild/protobuf";
import { FakeClock } from "../../lib/clock.fake.ts";
import { families } from "../../lib/fim/families.ts";
import type { Family } from "../../lib/fim/family.ts";
import { specialsOf } from "../../lib/fim/form.ts";
import { readRaw } from "../../lib/fim/raw-request.ts";
import type { Segment } from "../../lib/fim/render.ts";
import { flat, Restored, spelledIn } from "../../lib/fim/special-text.ts";
import { below, type Random, seeded } from "../../lib/random.ts";
import { CompleteRequestSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { ServedModel, Snippet, Trigger } from "../../router/completion.ts";
import { ContextRoom } from "../../router/context/context.ts";
import { PlainText } from "../../router/cursor-text.ts";
import { PromptRoom } from "../../router/prompt/prompt.ts";
import { modelOf, triggerAt } from "./router.ts";

const specials = [...new Set(families.flatMap(specialsOf))];
const joiner = "\u2060";
const code = [
  "a",
  "foo",
  " ",
  "\n",
  "\r\n",
  "(",
  ") {",
  "<",
  "|",
  "[",
  ">",
  "▁",
  "｜",
  joiner,
  "漢",
  "😀",
  "// x\n",
  "  ",
  "<div>",
  "\t",
  "0",
  "\u00a0",
  "\ufeff",
];
/** Marks whose text it is; neither may stand in the other's prompt. */
const sentinels = { acme: "ACME-OWN", beta: "BETA-OWN" } as const;
const secretPath = "private/keys.ts";
const secret = "EXCLUDED-TEXT";
/** Specials of a form, headers and the path, besides what the budget counts. */
const overheadBytes = 2_048;

export interface Fuzzed {
  readonly texts: number;
  /** Special tokens that stood in those texts. */
  readonly spelled: number;
  readonly faults: readonly string[];
}

export function fuzz(texts: number, seed: number): Fuzzed {
  const random = seeded(seed);
  const clock = new FakeClock();
  const prompts = new PromptRoom();
  const context = new ContextRoom(
    { chunksMax: 6, scanUtf16Max: 4_096, scansBytes: 1 << 20, chosenBytes: 1 << 20, timeMs: 50, order: "kept" },
    { clock, excludes: (_, path) => path === secretPath },
  );
  const faults: string[] = [];
  let spelled = 0;
  for (let i = 0; i < texts && faults.length < 10; i++) {
    const family = pick(random, families);
    const model = served(family);
    const tenant = pick(random, ["acme", "beta"] as const);
    const [prefix, suffix] = [some(random) + sentinels[tenant] + some(random), some(random)];
    const snippets: Snippet[] = [
      { path: `${pick(random, specials)}/${some(random, 2)}.ts`, text: some(random), score: 0.5, stable: true },
      { path: "b.ts", text: `${sentinels[tenant]} ${some(random)}`, score: 1, stable: below(random, 2) === 0 },
      { path: secretPath, text: secret, score: 2, stable: true },
    ];
    spelled += spelledIn([prefix, suffix, ...snippets.map(({ text }) => text)].join("\n")).length;
    const trigger = triggerAt("|", {
      ...{ tenant, document: `${tenant}/s d${below(random, 4)}`, session: `${tenant}/s`, snippets, receivedMs: i * 100 },
      ...{ path: below(random, 2) === 0 ? "src/a.ts" : `${pick(random, specials)}.ts`, text: new PlainText(prefix, suffix) },
    });
    const gathered = context.gather(trigger, prompts.contextBudget(trigger, model));
    const prompt = prompts.render(trigger, gathered, model);
    const said = judge(family, prompt.segments, trigger, model);
    const raw = judgeRaw(flat(prompt.segments).text);
    for (const fault of [...said, ...raw]) faults.push(`seed ${seed}, text ${i}, ${family.name}: ${fault}`);
  }
  return { texts, spelled, faults };
}

function judge(family: Family, segments: readonly Segment[], trigger: Trigger, model: ServedModel): string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string) => holds || faults.push(what);
  const own = segments.flatMap((part) => ("special" in part ? [part.special] : []));
  const { text } = flat(segments);
  const spelledOwn = own.flatMap(spelledIn);
  must(own.length <= 2 * (4 + trigger.snippets.length), `${own.length} special tokens`);
  const [prefix, suffix] = [family.tokens.prefix, family.tokens.suffix].map((token) => own.filter((each) => each === token).length);
  must(prefix === 1 && suffix === 1, `its sides stand ${prefix} and ${suffix} times`);
  must(JSON.stringify(spelledIn(text)) === JSON.stringify(spelledOwn), `spells ${spelledIn(text)} instead of ${spelledOwn}`);
  const user = segments.flatMap((part) => ("text" in part ? [part.text] : [])).join("");
  const other = sentinels[trigger.tenant === "acme" ? "beta" : "acme"];
  must(!user.includes(other), "text of another tenant");
  must(!user.includes(secret), "text of an excluded path");
  must(user.isWellFormed(), "a torn character");
  must(
    Buffer.byteLength(user) <= model.contextTokens * model.bytesPerToken + overheadBytes,
    `${Buffer.byteLength(user)} bytes of text`,
  );
  must(text.length <= user.length + own.join("").length + spelledIn(user).length + joined(user), "joiners without reason");
  const way = new Restored();
  const back = way.push(text) + way.end();
  for (const part of texts(segments)) must(back.includes(part), "does not come back as it went in");
  return faults;
}

/** A prompt that spells our own marks once is read; in any case nothing is thrown and nothing grows. */
function judgeRaw(prompt: string): string[] {
  const { request, reading } = readRaw(create(CompleteRequestSchema, { prefix: prompt }));
  const size = [request.prefix, request.suffix, request.path, ...request.snippets.flatMap(({ path, text }) => [path, text])].join(
    "",
  ).length;
  return reading === "code"
    ? ["a rendered prompt was read as code"]
    : size > prompt.length
      ? [`grew from ${prompt.length} to ${size}`]
      : [];
}

/** Texts that stand side by side, as one. */
function texts(segments: readonly Segment[]): string[] {
  const runs = [""];
  for (const part of segments)
    if ("special" in part) runs.push("");
    else runs.push((runs.pop() ?? "") + part.text);
  return runs;
}

/** Each spelling may hold some already. */
const joined = (text: string) => text.split("").filter((character) => /[<[/]/.test(character)).length;

function served(family: Family): ServedModel {
  return modelOf({
    name: family.name,
    fimFamily: family.name,
    fim: family.tokens,
    specials: specialsOf(family),
    contextTokens: 512,
  });
}

function some(random: Random, most = 24): string {
  let text = "";
  for (let left = below(random, most); left > 0; left--) {
    const kind = below(random, 6);
    if (kind > 1) text += pick(random, code);
    else {
      const special = pick(random, specials);
      const at = below(random, special.length);
      text += kind === 0 ? special : below(random, 2) === 0 ? special.slice(0, at) : `${special[0]}${joiner}${special.slice(1)}`;
    }
  }
  return text.toWellFormed();
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}
