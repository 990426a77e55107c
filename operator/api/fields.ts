// fields: the small types that the custom resources share. Every string and list is bounded: the apiserver counts what a CEL rule
// may cost by the largest object that fits, and refuses a CRD that could be too dear.
import { z } from "zod";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const durationShape = /^([0-9]+(ms|s|m|h))+$/;

/** "1m30s" → milliseconds. Only for texts of `duration`. */
export function durationMs(text: string): number {
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|s|m|h)/g)) ms += Number(count) * (unitMs[unit ?? ""] ?? 0);
  return ms;
}

/** As settings of processes and the policy document have it: one number, one unit. */
export const plainMs = (text: string): string => `${durationMs(text)}ms`;

export const duration = () => z.string().max(32).regex(durationShape, 'is not a duration like "250ms", "20s" or "1m30s"');
export const quantity = () =>
  z
    .string()
    .max(32)
    .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/, 'is not a quantity like "24Gi" or "500m"');
/** A decimal as text, because floating point numbers do not survive every client. */
export const decimal = () =>
  z
    .string()
    .max(16)
    .regex(/^[0-9]+(\.[0-9]+)?$/, 'is not a number like "0.45"');
/** A name in the same namespace, or of a cluster's object. */
export const name = () =>
  z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "is not a name of lower-case letters, digits, - and .");
export const image = () =>
  z
    .string()
    .min(1)
    .max(512)
    .regex(
      /^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$/,
      'is not an image like "registry/name:tag@sha256:…"',
    );
/** What a model is, byte for byte: a digest of its content, or a commit of its repository. */
export const revision = () =>
  z
    .string()
    .max(71)
    .regex(/^(sha256:[0-9a-f]{64}|[0-9a-f]{40})$/, 'is neither "sha256:" with 64 hexadecimal digits nor a commit of 40');
export const version = (like: string) =>
  z
    .string()
    .max(32)
    .regex(/^[0-9]+\.[0-9]+(\.[0-9]+)?([a-z0-9.+-]*)?$/, `is not a version like "${like}"`);
export const uri = () =>
  z
    .string()
    .max(1_024)
    .regex(/^(hf|https|http|file):\/\/[^\s]+$/, 'is not an address like "hf://owner/name" or "https://host/path"');

export const labels = (what: string) =>
  z.record(z.string().max(317), z.string().max(256)).meta({ maxProperties: 32 }).describe(what);

export const whole = (min: number, max: number) => z.number("is not a number").int("is not a whole number").min(min).max(max);

/** A whole number or a percentage, as in a Deployment. */
export const intOrPercent = () =>
  z
    .union(
      [z.number().int().min(0).max(1_000), z.string().regex(/^[0-9]{1,3}%$/)],
      'is neither a whole number nor a share like "25%"',
    )
    .meta({ "x-kubernetes-int-or-string": true });

/** Fields of others that are passed on as they are; who takes them checks them. A rule sees only those of them that are named here. */
export const passedOn = (what: string, seen: Readonly<Record<string, z.ZodType>> = {}) =>
  z.looseObject(seen).meta({ "x-kubernetes-preserve-unknown-fields": true }).describe(what);

export const toleration = z.strictObject({
  key: z.string().max(317).optional().describe("Taint key; absent with operator Exists: every taint."),
  operator: z.enum(["Exists", "Equal"]).optional().describe("Exists, or Equal to `value`."),
  value: z.string().max(256).optional().describe("Taint value."),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional().describe("Taint effect; absent: every effect."),
  tolerationSeconds: whole(0, 86_400).optional().describe("How long NoExecute is tolerated."),
});

/** One named condition, as every Kubernetes object has them. */
const condition = z.strictObject({
  type: z.string().max(64).describe("What is judged; docs/reference/conditions.md lists the types."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().max(64).describe("One word for a program; docs/reference/conditions.md lists them, with what to do."),
  message: z.string().max(4_096).describe("A sentence for a person."),
  observedGeneration: whole(0, Number.MAX_SAFE_INTEGER).optional().describe("The generation of the object that was judged."),
  lastTransitionTime: z.string().max(40).meta({ format: "date-time" }).describe("When `status` last changed."),
});

export const conditions = () =>
  z
    .array(condition)
    .max(16)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
    .describe("What the operator judges of this object.");
