// exposure: what may be reached by, and sent to, other machines: TLS alone, and only by callers that are asked who they are.
// Whoever wants it otherwise, behind a proxy that does both or in a laboratory, says so.
import { isLoopback } from "./address.ts";
import { SlipstreamError } from "./errors.ts";

export interface Listening {
  /** As the setting is called. */
  readonly setting: string;
  readonly address: string;
  readonly tls: boolean;
  /** Is a caller asked who it is? */
  readonly asks: boolean;
  /** What to set, so that both are so. */
  readonly remedy: string;
}

/** Why a port must not be opened. */
export function openPort({ setting, address, tls, asks, remedy }: Listening): string[] {
  if (isLoopback(address) || (tls && asks)) return [];
  const lacks = [tls ? [] : ["without TLS"], asks ? [] : ["without being asked who they are"]].flat().join(" and ");
  return [`${setting}=${address}: other machines would reach it ${lacks}; set ${remedy}`];
}

/** Why a peer must not be called. */
export function openCall({ setting, address, tls, remedy }: Omit<Listening, "asks">): string[] {
  if (isLoopback(address) || tls) return [];
  return [`${setting}: code would travel in the clear to what is found at ${address}; set ${remedy}`];
}

/** Throws what is open in one error, unless it may be; true: it is, and may be. */
export function guarded(open: readonly string[], insecure: boolean): boolean {
  if (open.length === 0 || insecure) return open.length > 0;
  throw new SlipstreamError("config", `${open.join("\n")}\nOr say --insecure, where something else guards it.`);
}
