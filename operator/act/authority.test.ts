import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { issue, type Kept, renewed, signerOf } from "./authority.ts";

const day = 86_400_000;
const options = { authorityMs: 90 * day, certificateMs: 30 * day, settleMs: day, lookEveryMs: 0 };
const start = 1_700_000_000_000;

test("an authority is believed before it signs and after it signed, so that links never meet one they do not know", async () => {
  let kept: Kept = {};
  let before: { bundle: string; cert: string } | undefined;
  const steps: string[] = [];
  for (let at = 0; at <= 100; at++) {
    const wallMs = start + at * day;
    const next = await renewed(kept, wallMs, options);
    if (next !== kept)
      steps.push(
        `day ${at}: ${Object.keys(next)
          .filter((file) => file.endsWith(".crt"))
          .join()}`,
      );
    kept = next;
    const signer = signerOf(kept);
    const { cert } = await issue(
      signer,
      { commonName: "a", hosts: ["workers.slipstream.internal"] },
      wallMs,
      options.certificateMs,
    );
    const authorities = (bundle: string) =>
      (bundle.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
    const verifies = (bundle: string, pem: string) =>
      authorities(bundle).some(({ publicKey }) => new X509Certificate(pem).verify(publicKey));
    // Whoever was renewed yesterday and whoever is today believe each other.
    if (before) expect([verifies(before.bundle, cert), verifies(signer.bundle, before.cert)], `day ${at}`).toEqual([true, true]);
    before = { bundle: signer.bundle, cert };
  }
  expect(steps).toEqual(["day 0: ca.crt", "day 60: ca.crt,next.crt", "day 61: ca.crt,previous.crt", "day 90: ca.crt"]);
});

test("an operator that comes back when the authority is over goes on with the one that is believed already", async () => {
  const first = await renewed({}, start, options);
  const both = await renewed(first, start + 60 * day, options);
  const late = await renewed(both, start + 91 * day, options);
  expect(late).toEqual({ "ca.crt": both["next.crt"], "ca.key": both["next.key"] });
});

test("what is kept and still good stays as it is", async () => {
  const kept = await renewed({}, start, options);
  expect(await renewed(kept, start + 59 * day, options)).toBe(kept);
});
