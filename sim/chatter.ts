// chatter: someone who chats beside the typists: Generate calls at chance times, some taken back, so that the chat lane and
// the bulk streams of links carry something. Calls a router directly; at most one call at a time.
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { noUsage } from "../router/completion.ts";
import type { Books } from "./books.ts";
import type { Answer } from "./session-client.ts";

export interface Said {
  readonly outcome: Answer["outcome"];
  readonly text: string;
  readonly detail: string;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly routers: readonly {
    readonly name: string;
    generate(id: string, tenant: string, content: string, signal: AbortSignal): Promise<Said>;
  }[];
  /** A worker that this router could have asked for a while. */
  readonly living: (router: string) => string | undefined;
  readonly books: Books;
  readonly note: (line: string) => void;
}

export interface ChatterOptions {
  readonly name: string;
  readonly tenant: string;
  /** Mean pause between calls. */
  readonly everyMs: number;
  /** Chance that a call is taken back. */
  readonly cancel: number;
}

export class Chatter {
  readonly #options: ChatterOptions;
  readonly #deps: Deps;
  readonly #over = new AbortController();
  readonly finished: Promise<void>;

  constructor(options: ChatterOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.finished = this.#chat().catch(() => {});
  }

  stop(): void {
    this.#over.abort(new Error("the chat is over"));
  }

  async #chat(): Promise<void> {
    const { clock, random, routers, books, note } = this.#deps;
    const { name, tenant, everyMs, cancel } = this.#options;
    for (let turn = 1; ; turn++) {
      await clock.sleep(-Math.log(1 - random.next()) * everyMs, this.#over.signal);
      const id = `${name}-${turn}`;
      const leaving = new AbortController();
      const takenBack =
        random.next() < cancel ? clock.timer(random.next() * 500, () => leaving.abort(new Error("taken back"))) : undefined;
      const router = routers[Math.floor(random.next() * routers.length)] as (typeof routers)[number];
      const begunMs = clock.now();
      books.asked(id, tenant);
      const { outcome, text, detail } = await router.generate(
        id,
        tenant,
        `Question ${turn}: what does this code do?`,
        leaving.signal,
      );
      takenBack?.[Symbol.dispose]();
      if (outcome !== "lost") books.left(id, router.name);
      note(`${id} ${outcome} ${text.length}`);
      const answer = { outcome, text, detail, completion: "", totalMs: clock.now() - begunMs, usage: noUsage, worker: "" };
      // Chat has a minute: there is always time left.
      books.answered(id, answer, { leftMs: 1_000, worker: this.#deps.living(router.name) });
    }
  }
}
