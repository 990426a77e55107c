// roster: what links report of their workers, and to whom.
import type { Lane } from "../completion.ts";
import type { loadOf, profileOf } from "./frames.ts";

/** Where links report their workers: the fleet. */
export interface Roster {
  joined(address: string, profile: ReturnType<typeof profileOf>): void;
  credits(address: string, credits: Record<Lane, number>): void;
  load(address: string, load: ReturnType<typeof loadOf>): void;
  /** `handOverMs` > 0: not yet, in so long. */
  draining(address: string, draining: boolean, handOverMs?: number): void;
  left(address: string): void;
  /** Left, and not waited for any more. */
  gone(address: string): void;
}
