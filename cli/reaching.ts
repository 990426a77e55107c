// reaching: how a command reaches a router: in the clear on this machine, over TLS elsewhere, and as whom. Options come before
// the environment. A key is never sent to another machine in the clear.
import { readFileSync } from "node:fs";
import { isLoopback } from "../lib/address.ts";
import { systemClock } from "../lib/clock.ts";
import { address as addressSetting } from "../lib/config.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { answersBut, type ClientTls, clientTls, whyNot } from "../lib/tls/client.ts";
import { givenPaths, tlsMaterial } from "../lib/tls/material.ts";
import type { Io } from "./command.ts";

export interface Reach {
  readonly address: string;
  readonly tls: ClientTls | undefined;
  /** Who asks. */
  readonly metadata: Readonly<Record<string, string>>;
}

export const reachHelp = `  --token KEY            an API key, or @FILE that holds it (default SLIPSTREAM_TOKEN)
  --tls                  speak TLS; --ca, --cert and --server-name imply it (SLIPSTREAM_TLS=true)
  --ca FILE              believe these authorities instead of those that Node carries (SLIPSTREAM_CA)
  --cert FILE --key FILE who we are, where the router asks for a client certificate (SLIPSTREAM_CERT, SLIPSTREAM_KEY)
  --server-name NAME     name in the router's certificate, if it is not the address's (SLIPSTREAM_SERVER_NAME)
  --insecure             send a key to another machine in the clear (SLIPSTREAM_INSECURE=true)`;

export function reachOptions(env: Io["env"]) {
  const from = (name: string) => ({ type: "string", default: env[name] ?? "" }) as const;
  const when = (name: string) => ({ type: "boolean", default: env[name] === "true" }) as const;
  return {
    token: from("SLIPSTREAM_TOKEN"),
    tls: when("SLIPSTREAM_TLS"),
    ca: from("SLIPSTREAM_CA"),
    cert: from("SLIPSTREAM_CERT"),
    key: from("SLIPSTREAM_KEY"),
    "server-name": from("SLIPSTREAM_SERVER_NAME"),
    insecure: when("SLIPSTREAM_INSECURE"),
  } as const;
}

type Given = Readonly<Record<keyof ReturnType<typeof reachOptions>, string | boolean | undefined>>;

export function reachOf(address: string, given: Given): Reach {
  if (!addressSetting.safeParse(address).success) throw bad("address", `--address: "${address}" is not HOST:PORT`);
  const [ca, cert, key, serverName] = [given.ca, given.cert, given.key, given["server-name"]].map((value) => String(value ?? ""));
  const paths = { ca: ca ?? "", cert: cert ?? "", key: key ?? "" };
  if ((paths.cert === "") !== (paths.key === "")) throw bad("cert", "--cert and --key belong together");
  const wanted = given.tls === true || serverName !== "" || givenPaths(paths).length > 0;
  const token = tokenOf(String(given.token ?? ""));
  if (token !== "" && !wanted && !isLoopback(address) && given.insecure !== true)
    throw bad("token", `the key would travel to ${address} in the clear: add --ca or --tls, or say --insecure`);
  return {
    address,
    tls: wanted ? clientTls(read(paths), serverName ?? "") : undefined,
    metadata: token === "" ? {} : { authorization: `Bearer ${token}` },
  };
}

/** The error of a call that found nobody, as a sentence: `what` is who was looked for. */
export function unreachable({ address, tls }: Pick<Reach, "address" | "tls">, what: string, thrown: unknown): SlipstreamError {
  const message = thrown instanceof Error ? thrown.message : "";
  const told = message.startsWith("something answers") ? message : undefined;
  const why = told === undefined ? whyNot(message, tls !== undefined) : undefined;
  const answers = told ?? (why && answersBut(address, why, thrown).message);
  const sentence = answers ?? `no ${what} at ${address}; "npx slipstream up" starts one on this machine`;
  const meant = what === "router" ? "the router's gRPC port (7411" : `a ${what} (7413`;
  const inTheClear = `${answers} (--ca FILE, or --tls), or not be ${meant} unless set otherwise)`;
  return new SlipstreamError("unavailable", answers && !tls ? inTheClear : sentence, { cause: thrown });
}

function read(paths: { ca: string; cert: string; key: string }) {
  try {
    return tlsMaterial(paths, givenPaths(paths).map(contentOf), systemClock.wall());
  } catch (thrown) {
    throw bad("tls", thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw bad("tls", `${path}: cannot be read`);
  }
}

function tokenOf(given: string): string {
  if (!given.startsWith("@")) return given;
  return contentOf(given.slice(1)).trim();
}

const bad = (field: string, message: string) => new SlipstreamError("invalid_request", message, { field });
