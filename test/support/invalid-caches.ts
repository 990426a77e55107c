// invalid-caches: ModelCaches and GPUClasses with one thing wrong each.
import { cache, digest, gpuClass } from "./cluster-objects.ts";
import { type Invalid, row } from "./invalid-row.ts";

export const invalidCaches: readonly Invalid[] = [
  row(
    "two sources",
    cache((c) => (c.spec.source.image = `r/m@${digest}`)),
    "source: exactly one of uri and image must be set",
  ),
  row(
    "a mirror of what is no hub",
    cache((c) => Object.assign(c.spec.source, { uri: "https://h/m", mirror: "https://m" })),
    "source.mirror: stands in for the model hub alone",
  ),
  row(
    "a volume without a size",
    cache((c) => delete c.spec.storage.size),
    "storage.size: must be set with mode PersistentVolume and Pod",
  ),
  row(
    "an image volume without an image",
    cache((c) => (c.spec.storage = { mode: "Image" })),
    "storage.mode: Image needs source.image",
  ),
  row(
    "an image by tag",
    cache((c) => Object.assign(c.spec, { source: { image: "r/m:1" }, storage: { mode: "Image" } })),
    "source.image: must end with @ and the revision",
  ),
  row(
    "a checksum of another kind",
    cache((c) => (c.spec.checksum = "md5:1")),
    "spec.checksum",
    "spec.checksum",
  ),
  row(
    "a volume that one pod may read",
    cache((c) => (c.spec.storage.accessMode = "ReadWriteOncePod")),
    "storage.accessMode: ReadWriteOncePod lets no second pod",
  ),
  row(
    "a pull ahead of what is no image",
    cache((c) => (c.spec.prefetch = { perNode: true })),
    "prefetch.perNode: needs storage.mode Image",
  ),
  row(
    "a download in ten seconds",
    cache((c) => (c.spec.prefetch = { deadline: "10s" })),
    "prefetch.deadline: must be at least 1m",
  ),
  row(
    "a GPU that nothing gives",
    gpuClass((g) => delete g.spec.devicePlugin),
    "devicePlugin or dra must say how a pod gets the device",
  ),
  row(
    "a resource without a domain",
    gpuClass((g) => (g.spec.devicePlugin = "gpu")),
    "spec.devicePlugin",
    "spec.devicePlugin",
  ),
  row(
    "a GPU without memory",
    gpuClass((g) => delete g.spec.memory),
    "spec.memory",
    "spec.memory: Required value",
  ),
];
