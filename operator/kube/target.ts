// target: which apiserver, and who we are to it: a kubeconfig or the files of a pod in, address and credentials out. Tokens and
// certificates are asked for at each connection or call, so that renewed ones count.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { type Clock, wallOf } from "../../lib/clock.ts";
import type { Env } from "../../lib/config.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Json } from "../objects.ts";

export interface Target {
  /** https://host:port, without a path. */
  readonly server: string;
  /** Of the kubeconfig's context or the pod. */
  readonly namespace: string;
  readonly tls: () => Promise<{
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecure?: boolean;
  }>;
  readonly token: () => Promise<string | undefined>;
}

const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet renews a token at 80 % of its hour; nobody needs to read it at each call. */
const tokenForMs = 30_000;

/** `path` empty: $KUBECONFIG, else the pod's own, else ~/.kube/config. */
export function findTarget(options: { path: string; context: string; env: Env }, clock: Clock): Target {
  const { path, context, env } = options;
  const host = env["KUBERNETES_SERVICE_HOST"];
  const given = path || env["KUBECONFIG"] || (host === undefined ? join(env["HOME"] ?? "", ".kube/config") : "");
  if (given !== "") return fromKubeconfig(given, context, env, clock);
  const server = `https://${host?.includes(":") ? `[${host}]` : host}:${env["KUBERNETES_SERVICE_PORT"] ?? "443"}`;
  return {
    server,
    namespace: read(join(mounted, "namespace")).trim(),
    tls: async () => ({ ca: read(join(mounted, "ca.crt")) }),
    token: kept(clock, async () => ({ token: read(join(mounted, "token")).trim() })),
  };
}

function fromKubeconfig(path: string, wanted: string, env: Env, clock: Clock): Target {
  const config = parse(read(path)) as Json;
  const named = (list: string, name: string) => {
    const found = (config?.[list] ?? []).find((each: Json) => each.name === name);
    if (!found) throw problem(`${path}: ${list} has no "${name}"`);
    return found;
  };
  const name = wanted || config?.["current-context"];
  if (!name) throw problem(`${path}: has no current-context; name one with --context`);
  const { context } = named("contexts", name);
  const { cluster } = named("clusters", context.cluster);
  const { user = {} } = named("users", context.user);
  const beside = (file: string) => (isAbsolute(file) ? file : join(dirname(path), file));
  const material = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, "base64").toString("utf8") : file ? read(beside(file)) : undefined;
  const server = new URL(cluster.server as string);
  const executed = user.exec ? kept(clock, () => execute(user.exec, env), true) : undefined;
  return {
    server: server.origin,
    namespace: context.namespace ?? "default",
    tls: async () => {
      const status = await executed?.();
      const ca = material(cluster["certificate-authority-data"], cluster["certificate-authority"]);
      const cert = status?.cert ?? material(user["client-certificate-data"], user["client-certificate"]);
      const key = status?.key ?? material(user["client-key-data"], user["client-key"]);
      return {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(cluster["tls-server-name"] ? { serverName: cluster["tls-server-name"] as string } : {}),
        ...(cluster["insecure-skip-tls-verify"] ? { insecure: true } : {}),
      };
    },
    token: async () => {
      if (executed) return (await executed()).token;
      return user.token ?? (user.tokenFile ? read(beside(user.tokenFile)).trim() : undefined);
    },
  };
}

interface Credential {
  readonly token?: string | undefined;
  readonly cert?: string;
  readonly key?: string;
  readonly untilWallMs?: number;
}

/** Keeps a credential for a while, or until it ends. */
function kept(clock: Clock, fetch: () => Promise<Credential>, whole: true): () => Promise<Credential>;
function kept(clock: Clock, fetch: () => Promise<Credential>): () => Promise<string | undefined>;
function kept(clock: Clock, fetch: () => Promise<Credential>, whole = false) {
  let last: { credential: Promise<Credential>; at: number } | undefined;
  return async () => {
    const until = (await last?.credential)?.untilWallMs;
    const stale = last && (until === undefined ? clock.now() - last.at > tokenForMs : clock.wall() > until - tokenForMs);
    if (!last || stale) last = { credential: fetch(), at: clock.now() };
    const taken = last;
    const credential = await taken.credential.catch((thrown: unknown) => {
      if (last === taken) last = undefined;
      throw thrown;
    });
    return whole ? credential : credential.token;
  };
}

/** Plugins of cloud providers: client.authentication.k8s.io. */
async function execute(exec: Json, own: Env): Promise<Credential> {
  const env = Object.fromEntries((exec.env ?? []).map(({ name, value }: Json) => [name, value]));
  const info = JSON.stringify({ apiVersion: exec.apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  try {
    const { stdout } = await promisify(execFile)(exec.command, exec.args ?? [], {
      timeout: 30_000,
      maxBuffer: 1 << 20,
      env: { ...own, ...env, KUBERNETES_EXEC_INFO: info },
    });
    const { status } = JSON.parse(stdout) as Json;
    return {
      token: status.token,
      ...(status.clientCertificateData ? { cert: status.clientCertificateData, key: status.clientKeyData } : {}),
      ...(status.expirationTimestamp ? { untilWallMs: wallOf(status.expirationTimestamp) } : {}),
    };
  } catch (thrown) {
    throw new SlipstreamError("unauthenticated", `the kubeconfig's program ${exec.command} gave no credential`, { cause: thrown });
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    const missing = (thrown as NodeJS.ErrnoException).code === "ENOENT";
    throw problem(`${path}: ${missing ? "there is no such file" : (thrown as Error).message}`);
  }
}

const problem = (sentence: string) => new SlipstreamError("config", sentence);
