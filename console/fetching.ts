// fetching: JSON from this router's own port, with the administrator's key where one is given; and of something that is wanted
// anew with each key only the latest, seldom.
import type { PageClock } from "./clock.ts";
import { bearer } from "./keys.ts";

export type Fetched<T> = { readonly value: T } | { readonly status: number; readonly why: string };
export type FetchJson = <T>(path: string) => Promise<Fetched<T>>;

export function fetchJson(adminKey: () => string, refused: (why: string | undefined) => void): FetchJson {
  return async <T>(path: string): Promise<Fetched<T>> => {
    try {
      const response = await fetch(path, { headers: bearer(adminKey()), cache: "no-store" });
      const body = (await response.json()) as { error?: { message?: string } };
      const who = response.status === 401 || response.status === 403;
      refused(who ? (body.error?.message ?? "an administrator's key is wanted") : undefined);
      return response.ok
        ? { value: body as T }
        : { status: response.status, why: body.error?.message ?? `HTTP ${response.status}` };
    } catch (thrown) {
      return { status: 0, why: thrown instanceof Error ? thrown.message : "the router cannot be reached" };
    }
  };
}

const restMs = 250;

/** At most one fetch at a time and one in `restMs`; of what was wanted meanwhile the newest. */
export class Latest<T> {
  readonly #clock: PageClock;
  readonly #json: FetchJson;
  readonly #got: (value: T) => void;
  #wanted: string | undefined;
  #busy = false;

  constructor(clock: PageClock, json: FetchJson, got: (value: T) => void) {
    this.#clock = clock;
    this.#json = json;
    this.#got = got;
  }

  want(path: string): void {
    this.#wanted = path;
    if (!this.#busy) this.#go();
  }

  #go(): void {
    const path = this.#wanted;
    if (path === undefined) return;
    this.#wanted = undefined;
    this.#busy = true;
    void this.#json<T>(path).then((fetched) => {
      if ("value" in fetched && this.#wanted === undefined) this.#got(fetched.value);
      this.#clock.timer(restMs, () => {
        this.#busy = false;
        this.#go();
      });
    });
  }
}
