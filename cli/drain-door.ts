// drain-door: the /drain of one process in, as it is reached: by the address of its admin port, or as a pod over the Kubernetes API,
// which leads there without a way into the cluster's network.
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { findTarget, Kube } from "../operator/kube/kube.ts";
import { type Json, kinds } from "../operator/objects.ts";
import { adminCall, wantsKey } from "./admin.ts";
import type { Io } from "./command.ts";
import { type Reach, reachOf, unreachable } from "./reaching.ts";

/** What is left of a router or a worker, as its admin port tells it; figures by their name. */
export interface Left {
  readonly process: "router" | "worker";
  readonly state: string;
  readonly [figure: string]: string | number;
}

export interface Door {
  /** As a person calls it. */
  readonly name: string;
  ask(method: "GET" | "POST" | "DELETE", path: string): Promise<Left>;
  close(): Promise<void>;
}

export function doorAt(reach: Reach): Door {
  return {
    name: reach.address,
    ask: async (method, path) => {
      const answer = await adminCall(reach, method, path).catch((thrown: unknown) => {
        throw unreachable(reach, "admin port", thrown);
      });
      return leftOf(answer, reach.address);
    },
    close: async () => {},
  };
}

interface PodGiven {
  /** [NAMESPACE/]NAME */
  readonly pod: string;
  readonly kubeconfig: string;
  readonly context: string;
  readonly keySecret: string;
  /** Instead of the Secret's key. */
  readonly token: string;
}

/** The API takes a bearer for its own; ours travels in another header that the admin port knows. */
export async function doorOf(given: PodGiven, io: Pick<Io, "env">): Promise<Door> {
  const [name = "", space] = given.pod.split("/").reverse();
  if (!/^([a-z0-9-]+\/)?[a-z0-9][a-z0-9.-]*$/.test(given.pod)) throw bad("pod", `"${given.pod}" is not NAMESPACE/NAME or NAME`);
  const target = findTarget({ path: given.kubeconfig, context: given.context, env: io.env }, systemClock);
  const kube = new Kube(
    { manager: "slipstream-drain", rest: { triesMax: 2 } },
    { target, clock: systemClock, random: systemRandom(), log: silentLog },
  );
  try {
    const namespace = space ?? target.namespace;
    const pod = await kube.cluster.get(kinds.Pod, namespace, name);
    if (!pod) throw new SlipstreamError("not_found", `there is no pod ${namespace}/${name}`);
    const ports = (pod.spec?.containers ?? []).flatMap((each: Json) => each.ports ?? []);
    const port = ports.find((each: Json) => each.name === "admin")?.containerPort;
    if (!port) throw bad("pod", `pod ${namespace}/${name} has no port named admin: it is no router and no worker of Slipstream's`);
    const metadata = reachOf(`${name}:${port}`, { ...noReach, token: given.token }).metadata;
    const token = metadata["authorization"]?.slice("Bearer ".length) ?? (await keyIn(kube, given.keySecret));
    const base = `/api/v1/namespaces/${namespace}/pods/https:${name}:${port}/proxy`;
    return {
      name: `pod ${namespace}/${name}`,
      ask: async (method, path) =>
        leftOf(await kube.ask({ method, path: `${base}${path}`, headers: { "x-api-key": token } }), `pod ${namespace}/${name}`),
      close: () => kube.close(),
    };
  } catch (thrown) {
    await kube.close();
    throw thrown;
  }
}

/** Nothing of a network that is not used. */
const noReach = { tls: false, ca: "", cert: "", key: "", "server-name": "", insecure: true } as const;

/** The chart's administrator's key, which opens every process of its operator. */
async function keyIn(kube: Kube, named: string): Promise<string> {
  const [namespace = "", name = ""] = named.split("/");
  if (name === "") throw bad("key-secret", `"${named}" is not NAMESPACE/NAME`);
  const secret = await kube.cluster.get(kinds.Secret, namespace, name);
  const key = secret?.["data"]?.admin;
  if (typeof key !== "string")
    throw new SlipstreamError("not_found", `Secret ${named} has no administrator's key (admin): --key-secret, or --token`);
  return Buffer.from(key, "base64").toString("utf8").trim();
}

function leftOf({ status, body }: { status: number; body: string }, name: string): Left {
  const said = parsed(body);
  // The Kubernetes API's own word, not the process's.
  if (said?.kind === "Status") {
    const code = status === 403 ? "permission_denied" : status === 404 ? "not_found" : "unavailable";
    throw new SlipstreamError(code, `${name} is not reached: ${said.message}`);
  }
  if (status === 401 || (status === 403 && said?.error?.code !== "invalid_request")) throw wantsKey(status, { address: name });
  if (said?.error?.message)
    throw new SlipstreamError(status === 400 ? "invalid_request" : "unavailable", `${name}: ${said.error.message}`);
  if (status > 299 || typeof said?.state !== "string" || typeof said?.process !== "string")
    throw new SlipstreamError("unavailable", `${name} answers, but is no router's or worker's admin port that can be drained`);
  return said;
}

function parsed(body: string): Json {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const bad = (field: string, message: string) => new SlipstreamError("invalid_request", `--${field}: ${message}`, { field });
