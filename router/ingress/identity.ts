// identity: who calls. With a key ring every call brings an API key, as `authorization: Bearer KEY` or, from clients that know
// no better, as `x-api-key` or `api-key`; the key says the tenant. Without a ring all are "default". Keys never enter messages.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { adminTenant, type KeyRing } from "../../lib/keys/key-ring.ts";
import { type Header, presentedKey, unauthenticated } from "../../lib/keys/presented.ts";

export interface Caller {
  readonly tenant: string;
  readonly check: () => void;
}

const defaultTenant = "default";

export interface IdentityDeps {
  readonly clock: Pick<Clock, "wall">;
  /** The keys as they are now; absent: no authentication. */
  readonly keys?: () => KeyRing;
}

export class Identity {
  readonly #deps: IdentityDeps;

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
  }

  /** The tenant of a call. */
  tenant(header: Header): string {
    return this.caller(header).tenant;
  }

  /** Who calls, and a check for those who stay: it throws once the key is taken away or has ended. */
  caller(header: Header): Caller {
    const { keys, clock } = this.#deps;
    if (!keys) return { tenant: defaultTenant, check: () => {} };
    const found = keys().find(presentedKey(header), clock.wall());
    if ("refused" in found)
      throw unauthenticated(found.refused === "ended" ? "the API key has ended; ask for a new one" : "unknown API key");
    if (found.tenant === adminTenant)
      throw new SlipstreamError(
        "permission_denied",
        "authorization: this key is for the admin port; completions need a tenant's key",
        {
          field: "authorization",
        },
      );
    const check = () => {
      if (!keys().holds(found, clock.wall())) throw unauthenticated("the API key is not valid any more");
    };
    return { tenant: found.tenant, check };
  }
}
