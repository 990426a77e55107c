// resources: the four custom resources in one table: names, schemas, columns, and with them the objects that a cluster installs.
import type { z } from "zod";
import { completionServiceSpec, completionServiceStatus } from "./completion-service.ts";
import { gpuClassSpec } from "./gpu-class.ts";
import { modelCacheSpec, modelCacheStatus } from "./model-cache.ts";
import { type Schema, structural } from "./structural.ts";
import { workerPoolSpec } from "./worker-pool.ts";
import { workerPoolStatus } from "./worker-pool-status.ts";

export const group = "slipstream.dev";
export const version = "v1alpha1";
const apiVersion = `${group}/${version}`;

interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly path: string;
  readonly wide?: true;
}

interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly short: string;
  readonly namespaced: boolean;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status?: z.ZodType;
  /** Names become labels of what is made, with something behind them. */
  readonly nameMax: number;
  readonly scale?: true;
  readonly columns: readonly Column[];
}

const ready: Column = { name: "Ready", type: "string", path: '.status.conditions[?(@.type=="Ready")].status' };
const reason: Column = { name: "Reason", type: "string", path: '.status.conditions[?(@.type=="Ready")].reason' };
const message: Column = { name: "Message", type: "string", path: '.status.conditions[?(@.type=="Ready")].message', wide: true };
const age: Column = { name: "Age", type: "date", path: ".metadata.creationTimestamp" };

export const resources: readonly Resource[] = [
  {
    kind: "CompletionService",
    plural: "completionservices",
    singular: "completionservice",
    short: "cps",
    namespaced: true,
    description: "Completions for people: tiers, the pools behind them, who may ask. Owns routers and their policy document.",
    spec: completionServiceSpec,
    status: completionServiceStatus,
    nameMax: 40,
    columns: [
      ready,
      reason,
      { name: "Routers", type: "string", path: ".status.ready" },
      { name: "P95", type: "string", path: ".status.p95" },
      { name: "Endpoint", type: "string", path: ".status.endpoint" },
      age,
      message,
    ],
  },
  {
    kind: "WorkerPool",
    plural: "workerpools",
    singular: "workerpool",
    short: "wp",
    namespaced: true,
    description: "Workers of one model, on one kind of accelerator, for one tier.",
    spec: workerPoolSpec,
    status: workerPoolStatus,
    nameMax: 40,
    scale: true,
    columns: [
      ready,
      reason,
      { name: "Tier", type: "string", path: ".spec.tier" },
      { name: "Replicas", type: "string", path: ".status.ready" },
      { name: "P95", type: "string", path: ".status.slo.p95" },
      { name: "GPU", type: "string", path: ".status.gpu" },
      { name: "Model", type: "string", path: ".status.model" },
      age,
      { name: "Accept", type: "string", path: ".status.speculative.acceptance", wide: true },
      { name: "Revision", type: "string", path: ".status.currentRevision", wide: true },
      message,
    ],
  },
  {
    kind: "ModelCache",
    plural: "modelcaches",
    singular: "modelcache",
    short: "mc",
    namespaced: true,
    description: "A model's files: where they come from, how they are proved, where they wait.",
    spec: modelCacheSpec,
    status: modelCacheStatus,
    nameMax: 40,
    columns: [
      ready,
      reason,
      { name: "Mode", type: "string", path: ".spec.storage.mode" },
      { name: "Size", type: "string", path: ".spec.storage.size" },
      { name: "Revision", type: "string", path: ".spec.revision", wide: true },
      age,
      message,
    ],
  },
  {
    kind: "GPUClass",
    plural: "gpuclasses",
    singular: "gpuclass",
    short: "gc",
    namespaced: false,
    description: "A kind of accelerator by name: which nodes have it, how a pod gets it, what it holds and costs.",
    spec: gpuClassSpec,
    nameMax: 63,
    columns: [
      { name: "Resource", type: "string", path: ".spec.devicePlugin" },
      { name: "Claim", type: "string", path: ".spec.dra.deviceClass" },
      { name: "Memory", type: "string", path: ".spec.memory" },
      { name: "Total", type: "integer", path: ".spec.total" },
      age,
    ],
  },
];

export type ResourceKind = "CompletionService" | "WorkerPool" | "ModelCache" | "GPUClass";

export function resource(kind: ResourceKind): Resource {
  return resources.find((each) => each.kind === kind) as Resource;
}

/** The CustomResourceDefinition of one resource. */
export function definition(made: Resource): Record<string, unknown> {
  const { kind, plural, singular, short, namespaced, description, spec, status, nameMax, scale, columns } = made;
  const schema: Schema = {
    type: "object",
    description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: `Version of this shape: ${apiVersion}.` },
      kind: { type: "string", description: `${kind}.` },
      // The apiserver explains it itself, and lets nobody else.
      metadata: { type: "object" },
      spec: { ...structural(spec), description: "What is wanted." },
      ...(status ? { status: { ...structural(status), description: "What the operator found. Written by it alone." } } : {}),
    },
    "x-kubernetes-validations": [
      { rule: `self.metadata.name.size() <= ${nameMax}`, message: `metadata.name: is longer than ${nameMax} characters` },
    ],
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, labels: { "app.kubernetes.io/part-of": "slipstream" } },
    spec: {
      group,
      scope: namespaced ? "Namespaced" : "Cluster",
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [short], categories: ["slipstream"] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          ...(status
            ? {
                subresources: {
                  status: {},
                  ...(scale
                    ? {
                        scale: {
                          specReplicasPath: ".spec.replicas",
                          statusReplicasPath: ".status.replicas",
                          labelSelectorPath: ".status.selector",
                        },
                      }
                    : {}),
                },
              }
            : {}),
          additionalPrinterColumns: columns.map(({ name, type, path, wide }) => ({
            name,
            type,
            jsonPath: path,
            ...(wide ? { priority: 1 } : {}),
          })),
        },
      ],
    },
  };
}
