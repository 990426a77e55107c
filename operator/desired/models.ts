// models: where a model waits in, what a pod mounts and how it gets it out: a claim that a Job filled, an image that the node keeps,
// or a folder that the pod fills itself before it starts.
import { type BuiltEngine, enginesClaimName } from "../api/built-engine.ts";
import type { Json } from "../objects.ts";
import type { SeenCache } from "../pool.ts";
import { containerSecurity, env, given, mount } from "./parts.ts";

export interface Placed {
  readonly path: string;
  readonly volume: Json;
  readonly mount: Json;
  /** Fills the volume, where each pod does. */
  readonly init: Json | undefined;
  readonly further: readonly Json[];
  readonly pullSecrets: readonly string[];
}

export const claimName = (cache: string) => `${cache}-files`;

/** From a ModelCache. */
export function placeCached(what: "model" | "draft", { object, spec }: SeenCache, image: string): Placed {
  const { source, storage } = spec;
  if (storage.mode === "Image") return placeImage(what, source.image ?? "", source.pullSecrets);
  const at = { path: `/models/${what}`, mount: mount(what, `/models/${what}`, true), pullSecrets: [] };
  if (storage.mode === "PersistentVolume")
    return {
      ...at,
      volume: { name: what, persistentVolumeClaim: { claimName: claimName(object.metadata.name), readOnly: true } },
      init: undefined,
      further: [],
    };
  return {
    ...at,
    volume: { name: what, emptyDir: { sizeLimit: storage.size } },
    init: downloader(`fetch-${what}`, what, `/models/${what}`, spec, image),
    further: sourceVolumes(spec),
  };
}

export function placeImage(what: "model" | "draft" | "engine", reference: string, pullSecrets: readonly string[] = []): Placed {
  return {
    path: `/models/${what}`,
    volume: { name: what, image: { reference, pullPolicy: "IfNotPresent" } },
    mount: mount(what, `/models/${what}`, true),
    init: undefined,
    further: [],
    pullSecrets,
  };
}

/** A TensorRT engine of a ModelCache, beside the model that it was built of. */
export function placeEngine({ object, spec }: SeenCache, { prebuilt }: BuiltEngine, name: string): Placed {
  const path = "/models/engine";
  if (prebuilt !== undefined) return placeImage("engine", prebuilt, spec.source.pullSecrets);
  return {
    path,
    volume: { name: "engine", persistentVolumeClaim: { claimName: enginesClaimName(object.metadata.name), readOnly: true } },
    mount: { ...mount("engine", path, true), subPath: name },
    init: undefined,
    further: [],
    pullSecrets: [],
  };
}

type Fetched = Pick<SeenCache["spec"], "source" | "revision"> & { readonly checksum?: string | undefined };

/** `slipstream fetch`: takes up where it was, proves what came, renames into place last. */
export function downloader(
  name: string,
  volume: string,
  path: string,
  { source, revision, checksum }: Fetched,
  image: string,
): Json {
  const word = (option: string, value: string | undefined) => (value === undefined ? [] : [`--${option}`, value]);
  return {
    name,
    image,
    args: [
      ...["fetch", source.uri ?? "", "--to", path, "--revision", revision],
      ...word("checksum", checksum),
      ...word("mirror", source.mirror),
      ...word("proxy", source.proxy),
      ...word("ca", source.caConfigMapRef && "/etc/slipstream/source-ca/ca.crt"),
      ...word("token-file", source.secretRef && "/etc/slipstream/source-token/token"),
    ],
    env: [env("HOME", "/tmp")],
    securityContext: containerSecurity,
    resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { memory: "1Gi" } },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      mount(volume, path),
      mount("tmp", "/tmp"),
      ...(source.caConfigMapRef ? [mount("source-ca", "/etc/slipstream/source-ca", true)] : []),
      ...(source.secretRef ? [mount("source-token", "/etc/slipstream/source-token", true)] : []),
    ],
  };
}

export function sourceVolumes({ source }: Pick<SeenCache["spec"], "source">): Json[] {
  return [
    ...(source.caConfigMapRef ? [{ name: "source-ca", configMap: { name: source.caConfigMapRef } }] : []),
    ...(source.secretRef ? [{ name: "source-token", secret: { secretName: source.secretRef, defaultMode: 0o440 } }] : []),
  ];
}

/** Volumes of several models may want the same further ones. */
export function volumesOf(placed: readonly Placed[]): Json[] {
  const all = placed.flatMap(({ volume, further }) => [volume, ...further]);
  return all.filter((volume, at) => all.findIndex((other) => other.name === volume.name) === at).map(given);
}
