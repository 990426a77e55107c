// identity: who calls. With tokens configured every call brings `authorization: Bearer TOKEN`; without, all are "default".
import { createHash, timingSafeEqual } from "node:crypto";
import { SlipstreamError } from "../../lib/errors.ts";

export class Identity {
  readonly #tokens: readonly { tenant: string; digest: Buffer }[];

  /** `tokens` is "tenant=token,tenant=token"; empty: no authentication. */
  constructor(options: { tokens: string }) {
    this.#tokens = options.tokens.split(",").flatMap((pair) => {
      if (pair.trim() === "") return [];
      // Only the first "=" divides: tokens in base64 end with more of them.
      const [, tenant, token] = /^([A-Za-z0-9_-]{1,64})=(\S+)$/.exec(pair.trim()) ?? [];
      if (!tenant || !token)
        throw config('each entry is "tenant=token", tenant of letters, digits, "_" and "-", token without spaces');
      return [{ tenant, digest: sha256(token) }];
    });
    const tenants = new Map<string, string>();
    for (const { tenant, digest } of this.#tokens) {
      const other = tenants.get(digest.toString("hex"));
      if (other !== undefined && other !== tenant) throw config(`${other} and ${tenant} have the same token`);
      tenants.set(digest.toString("hex"), tenant);
    }
  }

  /** The tenant of a call; `authorization` as the header has it. */
  tenant(authorization: string | undefined): string {
    if (this.#tokens.length === 0) return "default";
    const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    if (!token)
      throw new SlipstreamError("unauthenticated", "authorization: a bearer token is required", { field: "authorization" });
    const digest = sha256(token);
    // Every entry is compared, so that the time says nothing about which token was nearly right.
    const known = this.#tokens.filter((entry) => timingSafeEqual(entry.digest, digest));
    if (!known[0]) throw new SlipstreamError("unauthenticated", "authorization: unknown token", { field: "authorization" });
    return known[0].tenant;
  }
}

const config = (problem: string) => new SlipstreamError("config", `SLIPSTREAM_ROUTER_TOKENS: ${problem}`);
const sha256 = (text: string) => createHash("sha256").update(text).digest();
