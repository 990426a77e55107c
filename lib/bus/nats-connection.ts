// bus/nats-connection: how one connection to NATS is made: where to, over what, and as whom. Settings in, the client's options out.
import { readFileSync } from "node:fs";
import { type Auth, type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from "@nats-io/transport-node";
import { SlipstreamError } from "../errors.ts";
import type { Log } from "../log.ts";

export interface NatsWay {
  readonly servers: readonly string[];
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly connectTimeoutMs: number;
  /** false: it does not hear what it says itself. */
  readonly echo?: boolean;
  readonly natsCredentials?: string;
  readonly natsNkey?: string;
  readonly natsToken?: string;
  readonly natsUser?: string;
  readonly natsPassword?: string;
  readonly natsTls?: boolean;
  readonly natsTlsCa?: string;
  readonly natsTlsCert?: string;
  readonly natsTlsKey?: string;
}

/** Files are read at each connection. */
export function connectionOptions(options: NatsWay, log: Log): ConnectionOptions {
  const { servers, name, connectTimeoutMs } = options;
  const { natsTls = false, natsTlsCa = "", natsTlsCert = "", natsTlsKey = "" } = options;
  const tls = {
    ...(natsTlsCa === "" ? {} : { caFile: natsTlsCa }),
    ...(natsTlsCert === "" ? {} : { certFile: natsTlsCert }),
    ...(natsTlsKey === "" ? {} : { keyFile: natsTlsKey }),
  };
  return {
    servers: [...servers],
    name,
    timeout: connectTimeoutMs,
    noEcho: options.echo === false,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    // A server that hangs or whose machine is gone is left after 15 s; by default it would be minutes.
    pingInterval: 5_000,
    maxPingOut: 2,
    // Credentials may be renewed on the server's side too.
    ignoreAuthErrorAbort: true,
    ...whoWeAre(options, log),
    ...(natsTls || Object.keys(tls).length > 0 ? { tls } : {}),
  };
}

/** The ways to say who one is, by the settings that begin them. */
const ways = {
  natsCredentials: "SLIPSTREAM_NATS_CREDENTIALS",
  natsNkey: "SLIPSTREAM_NATS_NKEY",
  natsToken: "SLIPSTREAM_NATS_TOKEN",
  natsUser: "SLIPSTREAM_NATS_USER",
} as const;

/** A server that knows one of two would refuse whoever sent the other, and nobody would know why. */
export function assertOneWay(options: NatsWay): void {
  const given = (Object.keys(ways) as (keyof typeof ways)[]).filter((way) => (options[way] ?? "") !== "");
  if (given.length <= 1) return;
  throw new SlipstreamError("config", `${given.map((way) => ways[way]).join(" and ")} are set: one of them says who this is`);
}

function whoWeAre(options: NatsWay, log: Log): Pick<ConnectionOptions, "authenticator" | "token" | "user" | "pass"> {
  const { natsCredentials = "", natsNkey = "", natsToken = "", natsUser = "", natsPassword = "" } = options;
  if (natsToken !== "") return { token: natsToken };
  if (natsUser !== "") return { user: natsUser, pass: natsPassword };
  if (natsCredentials !== "") return { authenticator: (nonce) => fromFile(natsCredentials, ofCredentials, nonce, log) };
  return natsNkey === "" ? {} : { authenticator: (nonce) => fromFile(natsNkey, ofSeed, nonce, log) };
}

const ofCredentials = (file: Uint8Array) => credsAuthenticator(file);
/** As editors leave it: with a line end. */
const ofSeed = (file: Uint8Array) => nkeyAuthenticator(new TextEncoder().encode(new TextDecoder().decode(file).trim()));

function fromFile(path: string, made: typeof ofSeed, nonce: string | undefined, log: Log): Auth {
  try {
    return made(readFileSync(path))(nonce) as Auth;
  } catch (error) {
    log.error({ bus: "nats", path, err: error }, "credentials cannot be read");
    // The server refuses it, and the next try reads the file again.
    return { user: "" };
  }
}
