// client: TLS for what connects: whom to believe, who we are, and what a failed handshake meant.
import { createSecureContext, type SecureContext } from "node:tls";
import { SlipstreamError } from "../errors.ts";
import type { TlsMaterial } from "./material.ts";

export interface ClientTls {
  readonly context: SecureContext;
  /** Name that the server's certificate must have; undefined: that of the address. */
  readonly serverName?: string;
}

/** Without authorities in the material those that Node carries are believed, and NODE_EXTRA_CA_CERTS. */
export function clientTls({ options }: TlsMaterial, serverName: string): ClientTls {
  return { context: createSecureContext(options), ...(serverName === "" ? {} : { serverName }) };
}

/** By what OpenSSL and Node say of a handshake, in a client that speaks TLS. */
const overTls: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME_INVALID|does not match certificate/, "its certificate is for another name"],
  [
    /unable to verify|self.signed certificate|unable to get (local )?issuer/i,
    "its certificate is of an authority that is not believed here",
  ],
  [/certificate has expired/, "its certificate has ended"],
  [/not yet valid/, "its certificate has not begun"],
  [/wrong version number|packet length too long|http request/, "it does not speak TLS"],
  [
    /alert (certificate required|bad certificate|unknown ca|certificate unknown|handshake failure)/,
    "it wants a client certificate that it believes",
  ],
  [
    /Failed to connect|ECONNRESET|socket hang up|Connection dropped/,
    "it closed the connection after the handshake: it may not believe the client certificate",
  ],
];
const inTheClear: readonly (readonly [RegExp, string])[] = [
  [
    /Failed to connect|Protocol error|ECONNRESET|socket hang up|Parse Error|Connection dropped/,
    "it does not speak this in the clear: it may want TLS",
  ],
];

/** Why a peer that is there could not be talked to; undefined: nobody is there, or something else. */
export function whyNot(said: string, tls: boolean): string | undefined {
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|Name resolution/.test(said)) return undefined;
  return (tls ? overTls : inTheClear).find(([pattern]) => pattern.test(said))?.[1];
}

export function answersBut(address: string, why: string, cause: unknown): SlipstreamError {
  return new SlipstreamError("unavailable", `something answers at ${address}, but ${why}`, { cause });
}
