// rank: which of two triggers of one document is the newer, decided alike by every router, so that no two retire each other. The
// client's own count decides where it counts; else the time, which a router takes to be later than anything it has heard of the
// document, so that clocks that differ change nothing once a message has arrived; else the router's name.

export interface Rank {
  /** As the client counts; 0: it does not. */
  readonly sequence: number;
  readonly unixMs: number;
  readonly router: string;
}

/** A total order: of two ranks that differ exactly one is newer. */
export function isNewer(rank: Rank, than: Rank): boolean {
  if (rank.sequence !== than.sequence) return rank.sequence > than.sequence;
  if (rank.unixMs !== than.unixMs) return rank.unixMs > than.unixMs;
  return rank.router > than.router;
}
