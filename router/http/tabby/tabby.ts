// tabby: a Tabby server's endpoints in, answers as its editors read them out: `/v1/completions` with `segments`, told from OpenAI's
// by its shape; `/v1/events`, which become the feedback of their completions; what clients look at first. Text is given whole,
// and ends where an editor wants it to; that there is none is no error. What is on the clipboard is never read.
import { z } from "zod";
import { SlipstreamError } from "../../../lib/errors.ts";
import { version } from "../../../lib/version.ts";
import { whole } from "../answer.ts";
import { type Call, get, post, type Route } from "../route.ts";
import { triggerOf } from "../wish.ts";
import { eventBody, noted, report } from "./events.ts";

const snippet = z.object({ filepath: z.string(), body: z.string(), score: z.number().nullish() });
const snippets = z.array(snippet).max(64, "more than 64").nullish();

const body = z.object({
  language: z.string().nullish(),
  segments: z
    .object({
      prefix: z.string({ error: "must be a text" }),
      suffix: z.string().nullish(),
      filepath: z.string().nullish(),
      git_url: z.string().nullish(),
      declarations: snippets,
      relevant_snippets_from_changed_files: snippets,
      relevant_snippets_from_recently_opened_files: snippets,
      clipboard: z.string().nullish(),
    })
    .nullish(),
  user: z.string().nullish(),
  temperature: z.number().nullish(),
  seed: z.number().int().min(0, "must be at least 0").nullish(),
  mode: z.literal("standard", { error: "only standard is supported" }).nullish(),
  debug_options: z.object({ raw_prompt: z.string().nullish() }).nullish(),
});
type Body = z.output<typeof body>;

const health = {
  summary: "Is a worker linked, and which model is served? A key that is not valid is found out here.",
  answer: z.looseObject({ status: z.literal("ok"), model: z.string(), device: z.string(), version: z.looseObject({}) }),
  handle: ({ router }: Call) => {
    if (router.missing().length > 0) throw new SlipstreamError("no_worker", "no worker is connected", { retryAfterMs: 1_000 });
    const model = router.rooms.fleet.model("")?.name ?? "";
    // What the machines are like is nobody's business here.
    const machine = { device: "remote", arch: "", cpu_info: "", cpu_count: 0, cuda_devices: [] };
    const build = { build_date: "", build_timestamp: "", git_sha: "", git_describe: `slipstream ${version}` };
    return { status: "ok", model, ...machine, models: { completion: { remote: { model_name: model } } }, version: build };
  },
};

export const tabbyRoutes: readonly Route[] = [
  post("tabby", "/v1/completions", {
    summary: "Completes at a cursor, with declarations and snippets that the editor found.",
    body,
    told: (given) => "segments" in given || "debug_options" in given,
    answer: z.object({
      id: z.string(),
      choices: z.array(z.object({ index: z.literal(0), text: z.string() })),
      mode: z.literal("standard"),
    }),
    handle: complete,
  }),
  post("tabby", "/v1/events", {
    summary: "What became of a completion: seen, taken (whole or its first line), let go.",
    body: eventBody,
    answer: z.literal(""),
    handle: (call) => {
      report(call);
      return "";
    },
  }),
  get("tabby", "/v1/health", health),
  { ...get("tabby", "/v1/health", health), method: "POST" },
  get("tabby", "/v1beta/server_setting", {
    summary: "Editors are asked not to send figures to anybody else.",
    answer: z.object({ disable_client_side_telemetry: z.literal(true) }),
    handle: () => ({ disable_client_side_telemetry: true }),
  }),
];

const fileOf = ({ filepath, body: text }: z.output<typeof snippet>) => ({ path: filepath, text });

async function complete(call: Call<Body>): Promise<unknown> {
  const { segments, language, user, temperature, seed, debug_options } = call.body;
  const raw = debug_options?.raw_prompt;
  if (raw == null && !segments) throw new SlipstreamError("invalid_request", "segments: is required", { field: "segments" });
  const { declarations, relevant_snippets_from_changed_files: changed } = segments ?? {};
  const opened = segments?.relevant_snippets_from_recently_opened_files;
  // The nearest last; each list has its best first.
  const files = [declarations, changed, opened].flatMap((list) => list ?? []).map(fileOf);
  const trigger = triggerOf(call, {
    prefix: raw ?? segments?.prefix ?? "",
    ...(raw == null ? { suffix: segments?.suffix ?? "" } : {}),
    path: raw == null ? (segments?.filepath ?? "") : "",
    language: language === "unknown" ? "" : (language ?? ""),
    files: raw == null ? files.reverse().slice(-64) : [],
    model: "",
    sampling: { temperature, seed },
    shape: "auto",
    user,
    terms: {
      prefix: raw == null ? "segments.prefix" : "debug_options.raw_prompt",
      suffix: "segments.suffix",
      path: "segments.filepath",
      snippets: "segments.declarations",
    },
  });
  const { text, ending } = await whole(call, trigger, { api: "tabby", quiet: true });
  if (ending.completionId) noted(call.router, ending.completionId, text);
  return { id: `cmpl-${ending.completionId ?? trigger.id}`, choices: [{ index: 0, text }], mode: "standard" };
}
