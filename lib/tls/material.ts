// material: a certificate with its key, and the certificates of those who are believed, as they stand in files. Checked before a
// handshake is tried with them, so that a renewed file that cannot serve is refused while the one before still does.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { wallOf } from "../clock.ts";

export interface TlsPaths {
  /** The chain, own certificate first. */
  readonly cert: string;
  readonly key: string;
  /** Whose certificates are believed: of clients, by a server; of servers, by a client. */
  readonly ca: string;
}

export interface TlsMaterial {
  readonly options: SecureContextOptions;
  /** Wall clock; undefined: no certificate of our own. */
  readonly expiresMs: number | undefined;
}

/** "" where a path is not given. */
export function givenPaths({ cert, key, ca }: TlsPaths): string[] {
  return [cert, key, ca].filter((path) => path !== "");
}

/** Texts in the order of `givenPaths`. Throws an Error that names the file. */
export function tlsMaterial(paths: TlsPaths, texts: readonly string[], wallMs: number): TlsMaterial {
  const left = [...texts];
  const next = (path: string) => (path === "" ? undefined : left.shift());
  const [cert, key, ca] = [next(paths.cert), next(paths.key), next(paths.ca)];
  const own = cert === undefined ? undefined : certificates(paths.cert, cert)[0];
  if (own) current(paths.cert, own, wallMs);
  if (own && key !== undefined && !own.checkPrivateKey(privateKey(paths.key, key)))
    throw new Error(`${paths.key}: is not the key of the certificate in ${paths.cert}`);
  if (ca !== undefined) certificates(paths.ca, ca);
  const options: SecureContextOptions = {
    minVersion: "TLSv1.2",
    ...(cert !== undefined && key !== undefined ? { cert, key } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
  try {
    createSecureContext(options);
  } catch (thrown) {
    throw new Error(`${givenPaths(paths).join(", ")}: cannot be used together: ${(thrown as Error).message}`);
  }
  return { options, expiresMs: own === undefined ? undefined : wallOf(own.validTo) };
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function certificates(path: string, content: string): X509Certificate[] {
  const blocks = content.match(block) ?? [];
  if (blocks.length === 0) throw new Error(`${path}: holds no certificate (PEM)`);
  return blocks.map((pem, i) => {
    try {
      return new X509Certificate(pem);
    } catch {
      throw new Error(`${path}: certificate ${i + 1} is damaged`);
    }
  });
}

function current(path: string, certificate: X509Certificate, wallMs: number): void {
  if (wallMs >= wallOf(certificate.validTo)) throw new Error(`${path}: the certificate ended on ${certificate.validTo}`);
  if (wallMs < wallOf(certificate.validFrom)) throw new Error(`${path}: the certificate begins on ${certificate.validFrom}`);
}

function privateKey(path: string, content: string): KeyObject {
  if (/ENCRYPTED/.test(content)) throw new Error(`${path}: the key is encrypted; a server needs it without a passphrase`);
  try {
    return createPrivateKey(content);
  } catch {
    throw new Error(`${path}: holds no private key (PEM)`);
  }
}
