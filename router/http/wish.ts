// wish: what a body of any API asks for, in our words, in; a checked Trigger out, by the same door as everything: ingress. What
// ingress refuses is named as the caller wrote it, and is an outcome like any other.
import { create } from "@bufbuild/protobuf";
import { SlipstreamError } from "../../lib/errors.ts";
import { fittingStops, readRaw } from "../../lib/fim/raw-request.ts";
import {
  CompleteRequestSchema,
  SamplingSchema,
  Shape as ShapeMessage,
  SnippetSchema,
  Stability,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Shape, Trigger } from "../completion.ts";
import { leaving, whoAsks } from "./caller.ts";
import type { Call } from "./route.ts";

/** Fields left out, or null, take their defaults. */
export interface WishedSampling {
  readonly maxTokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly topP?: number | null | undefined;
  readonly topK?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly stop?: string | readonly string[] | null | undefined;
}

export interface Wish {
  readonly prefix: string;
  /** Absent: the prefix is no cursor in a text, or a prompt that the client rendered, which says where the cursor is. */
  readonly suffix?: string | null | undefined;
  readonly path?: string;
  readonly language?: string;
  /** Other code, the nearest last. */
  readonly files?: readonly { readonly path: string; readonly text: string }[];
  readonly model: string;
  /** Its client sends names of models that nobody chose: an unknown one is the default. */
  readonly anyModel?: boolean;
  readonly sampling: WishedSampling;
  readonly n?: number | null | undefined;
  /** "raw": as the model wrote it; else it ends where an editor would want it to. */
  readonly shape: Extract<Shape, "raw" | "auto" | "block">;
  readonly warm?: boolean;
  readonly deadlineMs?: number;
  readonly user?: string | null | undefined;
  /** Our names of fields, as this API calls them. */
  readonly terms: Readonly<Record<string, string>>;
}

const shapes = { raw: ShapeMessage.BLOCK, auto: ShapeMessage.AUTO, block: ShapeMessage.BLOCK } as const;

export function triggerOf(call: Call<unknown>, wish: Wish): Trigger {
  const { router, tenant, request, reply } = call;
  return inTermsOf(wish.terms, () => {
    const asked = create(CompleteRequestSchema, {
      prefix: wish.prefix,
      suffix: wish.suffix ?? "",
      path: wish.path ?? "",
      language: wish.language ?? "",
      snippets: (wish.files ?? []).map(({ path, text }, i, all) =>
        create(SnippetSchema, { path, text, score: (i + 1) / all.length, stability: Stability.STABLE }),
      ),
      kind: wish.warm ? TriggerKind.PRELOAD : TriggerKind.INVOKED,
      shape: shapes[wish.shape],
      deadlineMs: wish.deadlineMs ?? 0,
      stream: true,
      model: modelOf(call, wish),
      sampling: samplingOf(wish.sampling, router.ingress.tokensMax.inline, wish.suffix != null),
    });
    const raw = wish.suffix == null ? readRaw(asked) : undefined;
    // Evaluations ask without a suffix, side by side: only what has a place in a text has a next key.
    const who = raw === undefined || raw.reading === "prompt" ? whoAsks(request, wish.user) : "";
    const trigger = admitted(call, () =>
      router.ingress.complete(raw?.request ?? asked, tenant, leaving(reply), who, { raw: false }),
    );
    return {
      ...trigger,
      shape: wish.shape,
      n: wish.n ?? 1,
      ...(raw?.reading === "whole" ? { verbatim: true } : {}),
    };
  });
}

/** `fim`: special tokens among the stops are another model's, or end a middle anyway. */
export function samplingOf(given: WishedSampling, tokensMax: number, fim: boolean) {
  const { maxTokens, temperature, topP, topK, seed } = given;
  const stop = given.stop == null ? [] : [given.stop].flat();
  return create(SamplingSchema, {
    ...(maxTokens == null ? {} : { maxTokens: maxTokens < 0 ? tokensMax : Math.min(maxTokens, tokensMax) }),
    temperature: temperature ?? 0,
    topP: topP ?? 1,
    topK: Math.max(0, topK ?? 0),
    ...(seed == null || seed < 0 ? {} : { seed: BigInt(seed) }),
    stop: fim ? fittingStops(stop) : stop,
  });
}

/** Names that people leave in configurations. */
export const isDefault = (model: string) => model === "slipstream" || model === "default";

/** A name the fleet does not know is refused; no name, and names people leave in configurations, mean the default. */
export function modelOf({ router, tenant }: Call<unknown>, { model, anyModel }: Pick<Wish, "model" | "anyModel">): string {
  const names = router.models(tenant);
  if (names.includes(model)) return model;
  if (anyModel || model === "" || isDefault(model) || names.length === 0) return "";
  // Where the policy names what this tenant may use, ingress says whether this is a model of it.
  if (router.policy.of(tenant).models) return model;
  throw new SlipstreamError("not_found", `model: no worker serves "${model}"; there are: ${names.join(", ")}`, {
    field: "model",
  });
}

/** What ingress refuses is an outcome too, before it becomes the call's status. */
export function admitted(call: Call<unknown>, admit: () => Trigger, lane?: Trigger["lane"]): Trigger {
  try {
    return admit();
  } catch (thrown) {
    const { router, tenant } = call;
    router.refused({ id: "", tenant, session: `${tenant}/`, ...(lane ? { lane } : {}) }, thrown);
    throw thrown;
  }
}

/** Ingress names fields as our own messages do; here they are said as the caller wrote them. */
export function inTermsOf<T>(terms: Readonly<Record<string, string>>, check: () => T): T {
  try {
    return check();
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    if (error.field === undefined) throw error;
    const [, name = "", rest = ""] = /^(sampling\.\w+|\w+)(.*)$/s.exec(error.field) ?? [];
    const field = (terms[name] ?? name.replace(/^sampling\./, "")) + rest;
    const message = error.message.startsWith(error.field) ? field + error.message.slice(error.field.length) : error.message;
    throw new SlipstreamError(error.code, message, {
      field,
      cause: error,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
  }
}
