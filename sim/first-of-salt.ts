// first-of-salt: what began to compute when, at which worker and under which salt, in; what was first of its salt at its worker
// and found KV all the same, out: that KV can only be another tenant's. Judged at the end of a world by when things began: what
// arrived first may wait while another of its salt, of another router, is computed before it. One entry a worker and salt.

interface First {
  readonly sinceMs: number;
  /** What it was, if it found KV. */
  readonly found: string | undefined;
}

export class FirstOfSalt {
  readonly #firsts = new Map<string, First>();

  /** It may have computed KV from then on; `found`: what to say of it if nothing of its salt began before. */
  began(worker: string, salt: string, sinceMs: number, found?: string): void {
    const key = `${worker} ${salt}`;
    const first = this.#firsts.get(key);
    if (!first || sinceMs < first.sinceMs) this.#firsts.set(key, { sinceMs, found });
  }

  foreign(): string[] {
    return [...this.#firsts.values()].flatMap(({ found }) => (found === undefined ? [] : [found]));
  }
}
