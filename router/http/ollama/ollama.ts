// ollama: Ollama's endpoints in, answers as Continue, twinny, Zed and cmp-ai read them out: `/api/generate` with `suffix`, and what
// such clients look at first: which models there are, whether they infill, which version of the API this is. Models are named as
// the fleet names them, with or without a tag.
import { createHash } from "node:crypto";
import { z } from "zod";
import { writtenTime } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import { type Call, get, post, type Route } from "../route.ts";
import { isDefault } from "../wish.ts";
import { generate, generateAnswer, generateBody } from "./generate.ts";

/** Clients ask for what came with some version of Ollama; this is the one whose endpoints these are. */
const apiVersion = "0.12.0";

const details = z.object({
  parent_model: z.string(),
  format: z.string(),
  family: z.string(),
  families: z.array(z.string()),
  parameter_size: z.string(),
  quantization_level: z.string(),
});

const listed = z.object({
  name: z.string(),
  model: z.string(),
  modified_at: z.string(),
  size: z.number(),
  digest: z.string(),
  details,
});

const showBody = z.object({ model: z.string().nullish(), name: z.string().nullish(), verbose: z.boolean().nullish() });

export const ollamaRoutes: readonly Route[] = [
  post("ollama", "/api/generate", {
    summary: "Completes a prompt, before a `suffix` where there is one; a raw infilling prompt is taken apart.",
    body: generateBody,
    answer: generateAnswer,
    streams: "application/x-ndjson",
    handle: (call) => generate({ ...call, body: { ...call.body, model: withoutTag(call, call.body.model) } }),
  }),
  get("ollama", "/api/tags", {
    summary: "The models that the caller may name.",
    answer: z.object({ models: z.array(listed) }),
    handle: (call) => ({ models: call.router.models(call.tenant).map((name) => listedOf(call, name)) }),
  }),
  get("ollama", "/api/ps", {
    summary: "The same: what is served is loaded.",
    answer: z.object({ models: z.array(listed.extend({ expires_at: z.string(), size_vram: z.number() })) }),
    handle: (call) => {
      const expires_at = writtenTime(call.router.clock.wall() + 86_400_000);
      return { models: call.router.models(call.tenant).map((name) => ({ ...listedOf(call, name), expires_at, size_vram: 0 })) };
    },
  }),
  post("ollama", "/api/show", {
    summary: "One model: its family, its context, and that it infills.",
    body: showBody,
    answer: z.object({
      modelfile: z.string(),
      parameters: z.string(),
      template: z.string(),
      details,
      model_info: z.record(z.string(), z.unknown()),
      capabilities: z.array(z.string()),
      modified_at: z.string(),
    }),
    handle: (call) => show(call, call.body.model ?? call.body.name ?? ""),
  }),
  get("ollama", "/api/version", {
    summary: "Of the API.",
    open: true,
    answer: z.object({ version: z.string() }),
    handle: () => ({ version: apiVersion }),
  }),
];

/** "model:latest" is "model", unless the fleet has a model of just that name. */
function withoutTag({ router, tenant }: Call<unknown>, model: string): string {
  return router.models(tenant).includes(model) ? model : model.replace(/:latest$/, "");
}

function detailsOf({ router }: Call<unknown>, name: string): z.output<typeof details> {
  const family = router.rooms.fleet.model(name)?.fimFamily ?? "";
  return { parent_model: "", format: "gguf", family, families: [family], parameter_size: "", quantization_level: "" };
}

function listedOf(call: Call<unknown>, name: string): z.output<typeof listed> {
  const { clock } = call.router;
  const digest = createHash("sha256").update(name).digest("hex");
  return { name, model: name, modified_at: writtenTime(clock.wall()), size: 0, digest, details: detailsOf(call, name) };
}

function show(call: Call<unknown>, given: string) {
  const { router, tenant } = call;
  const asked = withoutTag(call, given);
  const name = isDefault(asked) ? (router.models(tenant)[0] ?? "") : asked;
  if (!router.models(tenant).includes(name))
    throw new SlipstreamError("not_found", `model "${given.slice(0, 128)}" not found`, { field: "model" });
  const served = router.rooms.fleet.model(name);
  const family = served?.fimFamily ?? "";
  return {
    modelfile: "",
    parameters: "",
    // Clients look here for whether it infills: the template itself is laid out by the router.
    template: "{{- if .Suffix }}{{ .Prompt }}{{ .Suffix }}{{- else }}{{ .Prompt }}{{- end }}",
    details: detailsOf(call, name),
    model_info: { "general.architecture": family, [`${family}.context_length`]: served?.contextTokens ?? 0 },
    capabilities: ["completion", "insert"],
    modified_at: writtenTime(router.clock.wall()),
  };
}
