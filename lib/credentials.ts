// credentials: the files by which a process knows who may call it and by which it is known itself, read before any port is opened
// and watched from then on.
import type { Clock } from "./clock.ts";
import { SlipstreamError } from "./errors.ts";
import { KeyRing } from "./keys/key-ring.ts";
import type { Log } from "./log.ts";
import { gauge, type Metrics } from "./metrics.ts";
import { type ClientTls, clientTls } from "./tls/client.ts";
import { givenPaths, type TlsMaterial, type TlsPaths, tlsMaterial } from "./tls/material.ts";
import type { TlsOffer } from "./tls/server.ts";
import { type FilesState, WatchedFiles, watchedFileMetrics } from "./watched-files.ts";

export interface CredentialConfig {
  readonly keysFile: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsClientCa: string;
  readonly filesEveryMs: number;
}

/** Rows for a process's table of metrics. */
export const credentialMetrics = {
  ...watchedFileMetrics,
  certificate_expiry_seconds: gauge("When the certificate in use ends, in seconds since 1970.", ["files"]),
} as const;

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics<typeof credentialMetrics>;
}

/** Twenty thousand keys; far more than any bundle of authorities. */
const bytesMax = 4 << 20;

export class Credentials {
  readonly name = "credentials";
  /** API keys as they are now; absent: nobody is asked who they are. */
  readonly keys?: () => KeyRing;
  /** TLS for what listens; absent: in the clear. */
  readonly offer?: TlsOffer;
  readonly #watched: WatchedFiles<unknown>[] = [];
  readonly #everyMs: number;
  readonly #deps: Deps;

  /** Throws `config` where something is missing or cannot be used. */
  constructor(config: CredentialConfig, prefix: string, deps: Deps) {
    this.#everyMs = config.filesEveryMs;
    this.#deps = deps;
    const { keysFile, tlsCert: cert, tlsKey: key, tlsClientCa: ca } = config;
    paired(`${prefix}TLS_CERT`, cert, `${prefix}TLS_KEY`, key);
    if (ca !== "" && cert === "") throw problem(`${prefix}TLS_CLIENT_CA is set without ${prefix}TLS_CERT`);
    if (keysFile !== "") {
      const keys = this.#open("keys", [keysFile], ([text = ""]) => KeyRing.parse(text, keysFile));
      this.keys = () => keys.value;
    }
    if (cert !== "") this.offer = { tls: this.#tls("tls", { cert, key, ca }), mutual: ca !== "" };
  }

  /** TLS for what connects, as the files say now; undefined: no file is given. */
  client(what: string, settings: { prefix: string; paths: TlsPaths; serverName: string }): (() => ClientTls) | undefined {
    const { prefix, paths, serverName } = settings;
    paired(`${prefix}CERT`, paths.cert, `${prefix}KEY`, paths.key);
    if (givenPaths(paths).length === 0) {
      if (serverName !== "") throw problem(`${prefix}SERVER_NAME is set without ${prefix}CA`);
      return undefined;
    }
    const files = this.#tls(what, paths);
    let made = clientTls(files.value, serverName);
    files.watch((material) => {
      made = clientTls(material, serverName);
    });
    return () => made;
  }

  /** For the status: what is read from where, and whether it stands. */
  states(): readonly FilesState[] {
    return this.#watched.map((files) => files.state);
  }

  close(): void {
    for (const files of this.#watched) files[Symbol.dispose]();
  }

  #tls(what: string, paths: TlsPaths): WatchedFiles<TlsMaterial> {
    const { clock, metrics } = this.#deps;
    const files = this.#open(what, givenPaths(paths), (texts) => tlsMaterial(paths, texts, clock.wall()));
    const tell = ({ expiresMs }: TlsMaterial) => {
      if (expiresMs !== undefined) metrics?.certificate_expiry_seconds.set({ files: what }, expiresMs / 1000);
    };
    files.watch(tell);
    tell(files.value);
    return files;
  }

  #open<T>(what: string, paths: readonly string[], parse: (texts: readonly string[]) => T): WatchedFiles<T> {
    const files = new WatchedFiles({ what, paths, everyMs: this.#everyMs, bytesMax }, { ...this.#deps, parse });
    this.#watched.push(files as WatchedFiles<unknown>);
    return files;
  }
}

function paired(cert: string, certPath: string, key: string, keyPath: string): void {
  if ((certPath === "") === (keyPath === "")) return;
  throw problem(certPath === "" ? `${key} is set without ${cert}` : `${cert} is set without ${key}`);
}

const problem = (sentence: string) => new SlipstreamError("config", sentence);
