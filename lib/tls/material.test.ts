import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { Authority } from "../../test/support/certificates.ts";
import { systemClock } from "../clock.ts";
import { type TlsPaths, tlsMaterial } from "./material.ts";

const paths: TlsPaths = { cert: "tls.crt", key: "tls.key", ca: "ca.crt" };
const now = systemClock.wall();
const day = 86_400_000;
const [authority, another] = await Promise.all([Authority.create(), Authority.create("Another")]);
const [good, other] = await Promise.all([authority.issue(), authority.issue()]);
const ended = await authority.issue({ fromMs: -10 * day, forMs: 9 * day });
const early = await authority.issue({ fromMs: day });
const encrypted = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const damaged = good.cert.replace(/[A-Za-z0-9+/]{40}/, "A".repeat(40));

test("a certificate, its key and a bundle of authorities are taken, and when the certificate ends", () => {
  const { options, expiresMs } = tlsMaterial(
    paths,
    [`${good.cert}\n${authority.cert}`, good.key, `${authority.cert}\n${another.cert}`],
    now,
  );
  expect(options).toMatchObject({ minVersion: "TLSv1.2", key: good.key });
  expect(Math.abs((expiresMs ?? 0) - (now + 29 * day))).toBeLessThan(60_000);
});

test("authorities alone, and a certificate without authorities, are enough", () => {
  expect(tlsMaterial({ ...paths, cert: "", key: "" }, [authority.cert], now).expiresMs).toBeUndefined();
  expect(tlsMaterial({ ...paths, ca: "" }, [good.cert, good.key], now).options.ca).toBeUndefined();
});

test.each([
  ["an empty certificate", ["", good.key, authority.cert], /^tls\.crt: holds no certificate/],
  ["a key in the certificate's place", [good.key, good.key, authority.cert], /^tls\.crt: holds no certificate/],
  ["a damaged certificate", [damaged, good.key, authority.cert], /^tls\.crt: certificate 1 is damaged/],
  ["a certificate cut in the middle", [good.cert.slice(0, 200), good.key, authority.cert], /^tls\.crt: holds no certificate/],
  ["a certificate that ended", [ended.cert, ended.key, authority.cert], /^tls\.crt: the certificate ended on /],
  ["a certificate that has not begun", [early.cert, early.key, authority.cert], /^tls\.crt: the certificate begins on /],
  ["another certificate's key", [good.cert, other.key, authority.cert], /^tls\.key: is not the key of the certificate in tls\.crt/],
  ["an encrypted key", [good.cert, encrypted, authority.cert], /^tls\.key: the key is encrypted/],
  ["a certificate in the key's place", [good.cert, good.cert, authority.cert], /^tls\.key: holds no private key/],
  ["an empty key", [good.cert, "", authority.cert], /^tls\.key: holds no private key/],
  ["authorities without one", [good.cert, good.key, "# none yet"], /^ca\.crt: holds no certificate/],
  [
    "a damaged authority behind a good one",
    [good.cert, good.key, `${authority.cert}\n${damaged}`],
    /^ca\.crt: certificate 2 is damaged/,
  ],
])("%s is refused with the file's name", (_, texts, says) => {
  expect(() => tlsMaterial(paths, texts, now)).toThrow(says);
});
