// model-cache: the ModelCache resource: where a model's files come from, how they are proved, and where they wait, so that they
// are fetched once and not by every pod; and the engines that are built of them.
import { z } from "zod";
import { builtEngine, engineRules, engineStatus, engineStorage } from "./built-engine.ts";
import { conditions, duration, durationMs, image, name, quantity, revision, uri, whole } from "./fields.ts";
import { immutable, ruled } from "./rules.ts";

const source = ruled(
  z.strictObject({
    uri: uri()
      .optional()
      .describe('Where the files are: "hf://owner/name" of a model hub, "https://host/file", "file:///path" in the image.'),
    image: image().optional().describe("OCI image whose files are the model."),
    secretRef: name().optional().describe("Secret with key `token`, sent as bearer token to the source."),
    mirror: uri().optional().describe("Address that stands in for the hub's own: a mirror inside the network."),
    proxy: z
      .string()
      .max(256)
      .regex(/^https?:\/\/[^\s]+$/, 'is not an address like "http://proxy:3128"')
      .optional()
      .describe("HTTP proxy that downloads go through."),
    caConfigMapRef: name()
      .optional()
      .describe("ConfigMap with key `ca.crt`: authorities that the source's certificate may be from."),
    pullSecrets: z.array(name()).max(8).default([]).describe("Secrets for pulling the image."),
  }),
  [
    {
      cel: "has(self.uri) != has(self.image)",
      message: "source: exactly one of uri and image must be set",
      holds: (self) => (self.uri === undefined) !== (self.image === undefined),
    },
    {
      cel: "!has(self.mirror) || (has(self.uri) && self.uri.startsWith('hf://'))",
      message: "source.mirror: stands in for the model hub alone; give uri hf://…",
      holds: (self) => self.mirror === undefined || self.uri?.startsWith("hf://") === true,
    },
  ],
);

const storage = ruled(
  z.strictObject({
    mode: z
      .enum(["PersistentVolume", "Image", "Pod"])
      .describe(
        "PersistentVolume: a Job downloads once, pods mount it read-only. Image: the kubelet pulls the image once a node. Pod: each pod downloads for itself before it starts.",
      ),
    size: quantity().optional().describe("Size of the volume, or of each pod's copy."),
    storageClassName: name().optional().describe("StorageClass of the volume; absent: the cluster's default."),
    accessMode: z
      .enum(["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"])
      .default("ReadWriteMany")
      .describe("How nodes share the volume; ReadWriteOnce keeps all pods of the model on one node."),
  }),
  [
    {
      cel: "self.mode == 'Image' || has(self.size)",
      message: "storage.size: must be set with mode PersistentVolume and Pod",
      holds: (self) => self.mode === "Image" || self.size !== undefined,
    },
    {
      cel: "self.accessMode != 'ReadWriteOncePod' || self.mode != 'PersistentVolume'",
      message: "storage.accessMode: ReadWriteOncePod lets no second pod read the model",
      holds: (self) => self.accessMode !== "ReadWriteOncePod" || self.mode !== "PersistentVolume",
    },
  ],
);

const prefetch = z.strictObject({
  deadline: duration().default("2h").describe("Longest time of the download; then it counts as failed."),
  retries: whole(0, 20).default(4).describe("Tries beyond the first."),
  perNode: z
    .boolean()
    .default(false)
    .describe("With mode Image: pull it ahead on every node of the GPU class, so that the first pod there does not wait."),
  gpuClassRef: name().optional().describe("GPUClass whose nodes are meant by perNode."),
});

export const modelCacheSpec = ruled(
  z.strictObject({
    source: source.describe("Where the files come from."),
    revision: revision().describe(
      "Digest of the files, or commit of the hub's repository. Another revision is another ModelCache.",
    ),
    checksum: z
      .string()
      .max(71)
      .regex(/^sha256:[0-9a-f]{64}$/, 'is not "sha256:" with 64 hexadecimal digits')
      .optional()
      .describe(
        "Digest of what is downloaded (of one file, or of the sorted list of digests and names); what differs is thrown away.",
      ),
    storage: storage.describe("Where they wait."),
    prefetch: prefetch.prefault({}).describe("The download itself."),
    engines: z
      .array(builtEngine)
      .max(8)
      .default([])
      .describe("TensorRT engines of the model, one a kind of GPU, version and parallelism; pools with engine.backend TensorRT."),
    engineStorage: engineStorage.optional().describe("Volume that engines which are built wait on; a directory of it each."),
  }),
  [
    ...engineRules,
    {
      cel: "self.storage.mode != 'Image' || has(self.source.image)",
      message: "storage.mode: Image needs source.image",
      holds: (self) => self.storage.mode !== "Image" || self.source.image !== undefined,
    },
    {
      cel: "self.storage.mode == 'Image' || has(self.source.uri)",
      message: "source.uri: must be set unless storage.mode is Image",
      holds: (self) => self.storage.mode === "Image" || self.source.uri !== undefined,
    },
    {
      cel: "self.storage.mode != 'Image' || self.source.image.endsWith('@' + self.revision)",
      message: "source.image: must end with @ and the revision, so that it is pulled by digest",
      holds: (self) => self.storage.mode !== "Image" || self.source.image?.endsWith(`@${self.revision}`) === true,
    },
    {
      cel: "!self.prefetch.perNode || (self.storage.mode == 'Image' && has(self.prefetch.gpuClassRef))",
      message: "prefetch.perNode: needs storage.mode Image and prefetch.gpuClassRef",
      holds: (self) => !self.prefetch.perNode || (self.storage.mode === "Image" && self.prefetch.gpuClassRef !== undefined),
    },
    {
      cel: "duration(self.prefetch.deadline) >= duration('1m')",
      message: "prefetch.deadline: must be at least 1m",
      holds: (self) => durationMs(self.prefetch.deadline) >= 60_000,
    },
  ],
  [immutable("revision"), immutable("storage.mode")],
);

export const modelCacheStatus = z.strictObject({
  observedGeneration: whole(0, Number.MAX_SAFE_INTEGER).optional().describe("The generation that this status is about."),
  conditions: conditions(),
  engines: z.array(engineStatus).max(8).optional().describe("Engines of the spec, and how far each is."),
  path: z.string().max(512).optional().describe("Where pods find the files."),
});

export type ModelCacheSpec = z.infer<typeof modelCacheSpec>;
