// sdk: the client of a Slipstream router for editors and products: `connect` gives a Session that keeps documents in step, asks for
// completions, streams them, tells what became of them, and comes back by itself. Needs grpc-js and protobuf alone.
import { createSecureContext } from "node:tls";
import { type Clock, keepAlive, systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { type Random, systemRandom } from "../../lib/random.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Dialled } from "./line.ts";
import { type Listeners, Session, type SessionOptions } from "./session.ts";

export type { Answer, Cost, Item, NoText, Text } from "./answer.ts";
export type { Asked, AskOptions } from "./asked.ts";
export type { ContextOptions, RecentEdit, Snippet } from "./context.ts";
export type { Document, DocumentOptions, Edit } from "./document.ts";
export type { Feedback, Place } from "./feedback.ts";
export type { State } from "./reconnecting.ts";
export type { Listeners, Session, SessionOptions } from "./session.ts";
export type { Kind, Length, Origin } from "./words.ts";

/** PEM texts. */
export interface Tls {
  /** Authorities to believe instead of those that Node carries. */
  readonly ca?: string;
  /** Who we are, where the router asks for a client certificate. */
  readonly cert?: string;
  readonly key?: string;
  /** Name in the router's certificate, if it is not the address's. */
  readonly serverName?: string;
}

export interface ConnectOptions extends SessionOptions {
  /** HOST:PORT of a router; of several, the next is tried when one cannot be reached. */
  readonly address: string | readonly string[];
  /** An API key; a function is asked at each connection, so that a renewed one is used. */
  readonly token?: string | (() => string);
  /** true: by the authorities that Node carries; left out: in the clear. */
  readonly tls?: true | Tls;
  /** Send a key to another machine without TLS. */
  readonly insecure?: boolean;
}

/** Time and chance, for tests. */
export interface ConnectDeps {
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Opens a session; it connects by itself, now and whenever the connection is lost. Throws where an option is wrong. */
export function connect(options: ConnectOptions, listeners: Listeners = {}, deps: ConnectDeps = {}): Session {
  const { clock = systemClock, random = systemRandom() } = deps;
  const addresses = [options.address].flat();
  for (const address of addresses) check(address, options);
  const tls = options.tls === undefined ? undefined : tlsOf(options.tls === true ? {} : options.tls);
  const first = Math.floor(random.next() * addresses.length);
  const dial = (attempt: number): Dialled => {
    const address = addresses[(first + attempt) % addresses.length] as string;
    const token = typeof options.token === "function" ? options.token() : options.token;
    const client = new GrpcClient({ address, tls, keepAliveMs: keepAliveMs }, { clock });
    const metadata: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    return { stream: client.duplex(CompletionService.method.session, { metadata }), close: () => client.close() };
  };
  return new Session(options, listeners, { clock, random, dial, keepAlive });
}

/** A router that went away without a word is found out within a minute. */
const keepAliveMs = 20_000;

function check(address: string, { token, tls, insecure }: ConnectOptions): void {
  const [, host = "", port = ""] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})$/.exec(address) ?? [];
  if (host === "" || Number(port) > 65_535 || port === "0") throw new TypeError(`address: "${address}" is not HOST:PORT`);
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);
  if (token !== undefined && token !== "" && tls === undefined && !loopback && insecure !== true)
    throw new TypeError(`token: it would travel to ${address} in the clear: set tls, or insecure`);
}

function tlsOf({ ca, cert, key, serverName }: Tls) {
  if ((cert === undefined) !== (key === undefined)) throw new TypeError("tls: cert and key belong together");
  const own = cert !== undefined && key !== undefined ? { cert, key } : {};
  const context = createSecureContext({ minVersion: "TLSv1.2", ...own, ...(ca === undefined ? {} : { ca }) });
  return { context, ...(serverName === undefined ? {} : { serverName }) };
}
