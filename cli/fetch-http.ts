// fetch-http: a GET through a proxy where there is one, with authorities of one's own, following redirections; a token goes to the
// host it is for and to no other. Answers that are errors say what they are.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { rootCertificates, connect as tlsConnect } from "node:tls";
import { SlipstreamError } from "../lib/errors.ts";

export interface Reach {
  readonly proxy: string | undefined;
  readonly ca: string | undefined;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

export interface Opened {
  readonly body: IncomingMessage;
  /** The answer goes on where the part ended. */
  readonly resumed: boolean;
  readonly length: number | undefined;
}

const redirectsMax = 8;
const silenceMs = 60_000;

export async function open(url: string, reach: Reach, from = 0): Promise<Opened> {
  let at = new URL(url);
  const first = at.host;
  for (let i = 0; i < redirectsMax; i++) {
    const headers = {
      "user-agent": "slipstream",
      ...(from > 0 ? { range: `bytes=${from}-` } : {}),
      ...(reach.token !== undefined && at.host === first ? { authorization: `Bearer ${reach.token}` } : {}),
    };
    const answer = await ask(at, headers, reach);
    const { statusCode: status = 0, headers: said } = answer;
    if (status >= 300 && status < 400 && said.location !== undefined) {
      answer.resume();
      at = new URL(said.location, at);
      continue;
    }
    const length = said["content-length"] === undefined ? undefined : Number(said["content-length"]);
    if (status === 200 || status === 206) return { body: answer, resumed: status === 206, length };
    answer.resume();
    // The part is the whole.
    if (status === 416 && from > 0) return open(url, reach);
    throw refusal(at, status);
  }
  throw new SlipstreamError("unavailable", `${url} leads on and on`);
}

function refusal({ host, pathname }: URL, status: number): SlipstreamError {
  const where = `${host}${pathname}`;
  if (status === 401 || status === 403)
    return new SlipstreamError("permission_denied", `${where} answered ${status}: the token is missing or may not read it`);
  if (status === 404) return new SlipstreamError("not_found", `${where} is not there`);
  return new SlipstreamError(status === 429 || status >= 500 ? "unavailable" : "protocol", `${where} answered ${status}`);
}

async function ask(url: URL, headers: Record<string, string>, { proxy, ca, signal }: Reach): Promise<IncomingMessage> {
  const trust = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  try {
    const tunnel =
      proxy !== undefined && url.protocol === "https:" ? await tunnelTo(url, new URL(proxy), trust, signal) : undefined;
    const throughPlain = proxy !== undefined && url.protocol === "http:" ? new URL(proxy) : undefined;
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const make = url.protocol === "https:" && !tunnel ? httpsRequest : httpRequest;
      const asked = make(
        throughPlain
          ? {
              host: throughPlain.hostname,
              port: throughPlain.port || 80,
              path: url.href,
              headers: { ...headers, host: url.host },
              signal,
              timeout: silenceMs,
              agent: false,
            }
          : {
              host: url.hostname,
              port: url.port || undefined,
              path: url.pathname + url.search,
              headers: { ...headers, host: url.host },
              signal,
              timeout: silenceMs,
              ...trust,
              // With an agent, even none, the connection that is given is not used.
              ...(tunnel ? { createConnection: () => tunnel } : { agent: false }),
            },
      );
      asked.once("timeout", () => asked.destroy(new Error("it is silent")));
      asked.once("response", resolve).once("error", reject).end();
    });
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(url.host, thrown as NodeJS.ErrnoException);
  }
}

/** A certificate that is not believed is not believed the next time either. */
function unreachable(host: string, thrown: NodeJS.ErrnoException): SlipstreamError {
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(thrown.code ?? "");
  return untrusted
    ? new SlipstreamError("config", `${host}: its certificate is not believed (${thrown.message}); --ca names authorities`, {
        cause: thrown,
      })
    : new SlipstreamError("unavailable", `${host} cannot be reached: ${thrown.message}`, { cause: thrown });
}

/** CONNECT, then TLS within. */
function tunnelTo(url: URL, proxy: URL, trust: object, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const authorization =
      proxy.username === ""
        ? {}
        : {
            "proxy-authorization": `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString("base64")}`,
          };
    const target = `${url.hostname}:${url.port || 443}`;
    const asked = httpRequest({
      host: proxy.hostname,
      port: proxy.port || 80,
      method: "CONNECT",
      path: target,
      headers: { host: target, ...authorization },
      signal,
      agent: false,
    });
    asked.once("error", reject);
    asked.once("connect", ({ statusCode }, socket: Socket) => {
      if (statusCode !== 200) return reject(new Error(`the proxy ${proxy.host} answered ${statusCode}`));
      const secure = tlsConnect({ socket, servername: url.hostname, ...trust });
      secure.once("secureConnect", () => resolve(secure)).once("error", reject);
    });
    asked.end();
  });
}
