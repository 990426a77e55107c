// admin: JSON from a router's admin port, in the clear on loopback or over TLS with an administrator's key elsewhere.
import { request as inTheClear } from "node:http";
import { request as overTls } from "node:https";
import { parseAddress } from "../lib/address.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { type Reach, unreachable } from "./reaching.ts";

const answerMs = 5_000;
const bytesMax = 64 << 20;

/** Undefined: there is no such thing. */
export async function adminJson(reach: Reach, path: string): Promise<unknown> {
  const { status, body } = await adminCall(reach, "GET", path).catch((thrown: unknown) => {
    throw unreachable(reach, "router's admin port", thrown);
  });
  if (status === 404) return undefined;
  if (status === 401 || status === 403) throw wantsKey(status, reach);
  if (status !== 200) throw new SlipstreamError("unavailable", `the admin port at ${reach.address} answered HTTP ${status}`);
  try {
    return JSON.parse(body);
  } catch {
    throw noAdminPort(reach);
  }
}

/** What a port answers that is somebody else's, such as the router's own HTTP port. */
export function noAdminPort({ address }: Pick<Reach, "address">): SlipstreamError {
  return new SlipstreamError(
    "unavailable",
    `something answers at ${address}, but it is no router's admin port (7413 unless set otherwise)`,
  );
}

/** An administrator's key is missing, or is none. */
export function wantsKey(status: number, { address }: Pick<Reach, "address">): SlipstreamError {
  return new SlipstreamError(
    status === 401 ? "unauthenticated" : "permission_denied",
    `the admin port at ${address} wants an administrator's key (slipstream key create --admin): --token`,
  );
}

/** Rejects when nobody answers. */
export function adminCall(
  { address, tls, metadata }: Reach,
  method: "GET" | "POST" | "DELETE",
  path: string,
): Promise<{ status: number; body: string }> {
  const { host, port } = parseAddress(address);
  const signal = AbortSignal.timeout(answerMs);
  const name = tls?.serverName === undefined ? {} : { servername: tls.serverName };
  const where = { host, port, path, method, signal, headers: metadata, agent: false as const };
  return new Promise((resolve, reject) => {
    const secure = { ...where, ...name, secureContext: tls?.context };
    const call = tls ? overTls(secure) : inTheClear(where);
    call.on("error", reject);
    call.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
        if (body.length > bytesMax) response.destroy(new Error("the answer is too large"));
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.end();
  });
}
