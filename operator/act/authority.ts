// authority: the operator's own certificate authority, one for each namespace it serves: what is kept of it and the time in, what
// shall be kept and a signer out. A new one is believed everywhere for a while before it signs, and the old one after it signed no
// more, so that no link ever meets a certificate it does not know. Pure but for the keys.
import { createHash, createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { dateOf, wallOf, writtenTime } from "../../lib/clock.ts";

export interface AuthorityOptions {
  readonly authorityMs: number;
  readonly certificateMs: number;
  /** How long a new authority is believed before it signs. */
  readonly settleMs: number;
  /** What was looked at is not looked at again so soon: Secrets are not watched. */
  readonly lookEveryMs: number;
}

const day = 86_400_000;
export const authorityDefaults: AuthorityOptions = {
  authorityMs: 3_650 * day,
  certificateMs: 30 * day,
  settleMs: day,
  lookEveryMs: 60_000,
};

/** As it stands in a Secret, decoded. */
export type Kept = Readonly<Partial<Record<"ca.crt" | "ca.key" | "next.crt" | "next.key" | "previous.crt", string>>>;

export interface Signer {
  readonly cert: string;
  readonly key: string;
  /** Everybody who is believed. */
  readonly bundle: string;
  readonly id: string;
}

const endsMs = (pem: string) => wallOf(new X509Certificate(pem).validTo);
const beginsMs = (pem: string) => wallOf(new X509Certificate(pem).validFrom);

/** What to keep from now on; the same object when nothing changes. */
export async function renewed(kept: Kept, wallMs: number, options: AuthorityOptions): Promise<Kept> {
  const { "ca.crt": cert, "ca.key": key, "next.crt": next, "next.key": nextKey, "previous.crt": previous } = kept;
  // Of an operator that was away for long the next one may be due and the present one over.
  if (next && nextKey && cert && wallMs >= endsMs(cert) && wallMs < endsMs(next)) return { "ca.crt": next, "ca.key": nextKey };
  if (!cert || !key || wallMs >= endsMs(cert)) {
    const made = await selfSigned(wallMs, options.authorityMs);
    return { "ca.crt": made.cert, "ca.key": made.key };
  }
  if (next && nextKey) {
    // It was made a little before the time it says, so that clocks that differ agree.
    if (wallMs - beginsMs(next) < options.settleMs + backdateMs) return kept;
    return { "ca.crt": next, "ca.key": nextKey, "previous.crt": cert };
  }
  if (previous && wallMs >= endsMs(previous)) return { "ca.crt": cert, "ca.key": key };
  if (wallMs - beginsMs(cert) < (endsMs(cert) - beginsMs(cert)) * renewShare) return kept;
  const made = await selfSigned(wallMs, options.authorityMs);
  return { ...kept, "next.crt": made.cert, "next.key": made.key };
}

/** Of its life; then another is made. */
export const renewShare = 2 / 3;
const backdateMs = 5 * 60_000;

export function signerOf(kept: Kept): Signer {
  const { "ca.crt": cert = "", "ca.key": key = "", "next.crt": next = "", "previous.crt": previous = "" } = kept;
  const bundle = [cert, next, previous].filter((pem) => pem !== "").join("");
  return { cert, key, bundle, id: createHash("sha256").update(bundle).digest("hex").slice(0, 16) };
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Loading it takes a moment in which nothing else runs: before the lease is held. */
export async function library() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

async function keys(): Promise<{ pair: webcrypto.CryptoKeyPair; pem: string }> {
  const pair = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey));
  return {
    pair,
    pem: createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }).toString(),
  };
}

async function selfSigned(wallMs: number, forMs: number): Promise<{ cert: string; key: string }> {
  const x509 = await library();
  const { pair, pem } = await keys();
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Slipstream links ${writtenTime(wallMs).slice(0, 10)}`,
    notBefore: dateOf(wallMs - backdateMs),
    notAfter: dateOf(wallMs + forMs),
    signingAlgorithm: algorithm,
    keys: pair,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(pair.publicKey),
    ],
  });
  return { cert: `${made.toString("pem")}\n`, key: pem };
}

/** A certificate for a server and a client alike: links are mutual. */
export async function issue(
  signer: Signer,
  wanted: { commonName: string; hosts: readonly string[] },
  wallMs: number,
  forMs: number,
): Promise<{ cert: string; key: string }> {
  const x509 = await library();
  const own = new x509.X509Certificate(signer.cert);
  const { pair, pem } = await keys();
  const signing = await webcrypto.subtle.importKey(
    "pkcs8",
    createPrivateKey(signer.key).export({ format: "der", type: "pkcs8" }),
    algorithm,
    false,
    ["sign"],
  );
  const made = await x509.X509CertificateGenerator.create({
    subject: `CN=${wanted.commonName.slice(0, 64)}`,
    issuer: own.subject,
    notBefore: dateOf(wallMs - backdateMs),
    notAfter: dateOf(Math.min(wallMs + forMs, own.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: pair.publicKey,
    signingKey: signing,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]),
      new x509.SubjectAlternativeNameExtension(wanted.hosts.map((value) => ({ type: "dns" as const, value }))),
      await x509.AuthorityKeyIdentifierExtension.create(own.publicKey),
    ],
  });
  return { cert: `${made.toString("pem")}\n`, key: pem };
}
