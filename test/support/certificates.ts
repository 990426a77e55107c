// certificates: an authority of the test's own, and what it issues: real X.509 for real handshakes.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  readonly name?: string;
  /** DNS names and addresses. */
  readonly hosts?: readonly string[];
  /** From now; in the past: it has ended, or not begun. */
  readonly fromMs?: number;
  readonly forMs?: number;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;
let serial = 1;

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
type CryptoKeyPair = { readonly publicKey: webcrypto.CryptoKey; readonly privateKey: webcrypto.CryptoKey };

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return `-----BEGIN PRIVATE KEY-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

export class Authority {
  readonly cert: string;
  readonly #own: x509.X509Certificate;
  readonly #keys: CryptoKeyPair;

  private constructor(own: x509.X509Certificate, keys: CryptoKeyPair) {
    this.#own = own;
    this.#keys = keys;
    this.cert = own.toString("pem");
  }

  static async create(name = "Test authority"): Promise<Authority> {
    const keys = await newKeys();
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: (serial++).toString(16).padStart(4, "0"),
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 365 * day),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
    });
    return new Authority(own, keys);
  }

  /** A certificate for a server and a client alike; by default for loopback, from yesterday, for a month. */
  async issue(wanted: Wanted = {}): Promise<Issued> {
    const keys = await newKeys();
    const { name = "test", hosts = ["localhost", "127.0.0.1"], fromMs = -day, forMs = 30 * day } = wanted;
    const cert = await x509.X509CertificateGenerator.create({
      serialNumber: (serial++).toString(16).padStart(4, "0"),
      subject: `CN=${name}`,
      issuer: this.#own.subject,
      notBefore: new Date(Date.now() + fromMs),
      notAfter: new Date(Date.now() + fromMs + forMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const), value })),
        ),
      ],
    });
    return { cert: cert.toString("pem"), key: await pemOf(keys.privateKey) };
  }
}

/** Files as a mounted Secret has them: each a link by way of one link, which a renewal replaces at once. */
export class MountedSecret {
  readonly folder: string;
  #versions = 0;

  constructor(folder: string, files: Readonly<Record<string, string>>) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.swap(files);
    for (const name of Object.keys(files)) symlinkSync(join("..data", name), join(folder, name));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  swap(files: Readonly<Record<string, string>>): void {
    const version = `..v${++this.#versions}`;
    mkdirSync(join(this.folder, version));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, version, name), text);
    symlinkSync(version, join(this.folder, "..next"));
    renameSync(join(this.folder, "..next"), join(this.folder, "..data"));
  }
}
