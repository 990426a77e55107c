// prewarm: what was sent to workers in, Prewarms to other workers out, and leases moved there: when a worker says that it will leave,
// each of its sessions is computed at the worker that it will have next, and goes there once it is warm; a worker that joins is sent
// the beginnings that many share and that will be asked of it. Behind all lanes, a few at once, within the worker's own budget.
// Remembers prompts within `bytesMax`; 0: nothing is warmed.
import type { Clock } from "../../lib/clock.ts";
import type { Placement, Prompt, SharedBeginning, Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { type Beginning, HotBeginnings } from "./beginnings.ts";
import { beginningsFor, type PlanOptions, sessionsToMove } from "./plan.ts";
import { type Recent, RecentPrompts, type Sent } from "./recent.ts";

export type { Recent, Sent } from "./recent.ts";

export interface PrewarmOptions extends PlanOptions {
  /** Of prompts that are remembered. */
  readonly bytesMax: number;
  readonly rememberedMax: number;
  /** Prewarms of one hand-over under way at once. */
  readonly atOnceMax: number;
  /** A worker whose link is made anew within this is no new one. */
  readonly joinEveryMs: number;
}

export interface Worker {
  readonly name: string;
  readonly pool: string;
  readonly models: readonly { readonly name: string }[];
  /** It takes no work before it is told that these were sent; 0, absent: it takes work at once. */
  readonly wantsPrefixes?: number;
}

export interface PrewarmDeps {
  readonly clock: Clock;
  readonly metrics: Pick<RouterMetrics, "prewarms_total" | "handed_over_total">;
  /** Sessions whose lease a worker has, the last used first. */
  readonly held: (worker: string) => Iterable<string>;
  /** The worker that stays and would have the session then. */
  readonly next: (recent: Recent) => { readonly worker: string; readonly lease: Placement["lease"] } | undefined;
  /** Those that stay and could have this prompt, by name. */
  readonly staying: (prompt: Sent) => readonly string[];
  readonly beginning: (prompt: Pick<Prompt, "blocks">) => SharedBeginning | undefined;
  readonly weight: (beginning: string, worker: string) => number;
  /** Resolves whether it is warm there: not, where the worker cannot say so. */
  readonly send: (worker: string, tenant: string, prompt: Sent) => Promise<boolean>;
  /** It is warm there: what is placed from now on may count on it; with a lease, the session goes there. */
  readonly warmed: (worker: string, recent: Pick<Recent, "session" | "document" | "prompt">, lease: Placement["lease"]) => void;
  /** The worker is told that nothing is left to be done for it. */
  readonly settled: (worker: string) => void;
}

interface Task {
  readonly to: () => { readonly worker: string; readonly lease: Placement["lease"] } | undefined;
  readonly recent: Recent;
}

export class Prewarm {
  readonly #options: PrewarmOptions;
  readonly #deps: PrewarmDeps;
  readonly #recent: RecentPrompts;
  readonly #hot: HotBeginnings;
  /** By worker, what ends its hand-over. */
  readonly #leaving = new Map<string, AbortController>();
  /** When each worker last joined; those of long ago are forgotten. */
  readonly #joined = new Map<string, number>();

  constructor(options: PrewarmOptions, deps: PrewarmDeps) {
    this.#options = options;
    this.#deps = deps;
    const { rememberedMax: sessionsMax, bytesMax } = options;
    this.#recent = new RecentPrompts({ sessionsMax, bytesMax });
    // Most of it is for sessions: few beginnings are asked for often.
    this.#hot = new HotBeginnings({ max: 64, bytesMax: bytesMax / 8, halfLifeMs: 30_000 });
  }

  /** A prompt is on its way to a worker. */
  sent(work: Pick<Work, "session" | "document" | "tenant" | "lane">, prompt: Prompt): void {
    if (this.#options.bytesMax === 0 || (work.lane !== "inline" && work.lane !== "chat")) return;
    this.#recent.sent(work, prompt);
    const beginning = this.#deps.beginning(prompt);
    if (beginning) this.#hot.used(work, prompt, beginning, this.#deps.clock.now());
  }

  /** A worker will take no new work in `ms`; until then it serves what it holds. */
  leaving(worker: string, ms: number): void {
    if (this.#leaving.has(worker)) return;
    const over = new AbortController();
    this.#leaving.set(worker, over);
    const timer = this.#deps.clock.timer(ms, () => over.abort());
    void this.#handOver(worker, over.signal).then(() => {
      timer[Symbol.dispose]();
      if (!over.signal.aborted) this.#deps.settled(worker);
    });
  }

  /** It stays after all, takes nothing more, or is gone. */
  stop(worker: string): void {
    this.#leaving.get(worker)?.abort();
    this.#leaving.delete(worker);
  }

  /** A worker is there, perhaps a new one, which holds nothing. */
  joined(worker: Worker): void {
    const now = this.#deps.clock.now();
    const { name, wantsPrefixes = 0 } = worker;
    for (const [other, atMs] of this.#joined) if (now - atMs > this.#options.joinEveryMs) this.#joined.delete(other);
    const isNew = !this.#joined.has(name);
    this.#joined.set(name, now);
    const beginningsMax = Math.max(this.#options.beginningsMax, wantsPrefixes);
    const holding = { holders: (beginning: Beginning) => this.#holders(beginning), weight: this.#deps.weight };
    const wanted = isNew ? beginningsFor({ ...this.#options, beginningsMax }, worker, this.#hot.hottest(now), holding) : [];
    const to = () => ({ worker: name, lease: "none" as const });
    void this.#each(
      wanted.map((beginning) => ({ recent: asRecent(beginning), to })),
      { why: "join", atOnce: 1 },
    ).then(() => {
      if (wantsPrefixes > 0) this.#deps.settled(name);
    });
  }

  close(): void {
    for (const worker of [...this.#leaving.keys()]) this.stop(worker);
  }

  async #handOver(worker: string, over: AbortSignal): Promise<void> {
    const { held, next, metrics } = this.#deps;
    const sessions = sessionsToMove(this.#options, held(worker), (session) => this.#recent.of(session));
    const tasks = [...this.#orphans(worker), ...sessions.map((recent) => ({ recent, to: () => next(recent) }))];
    const warm = await this.#each(tasks, { why: "hand_over", atOnce: this.#options.atOnceMax, over });
    const moved = [...warm].filter(({ session }) => session !== "").length;
    metrics.handed_over_total.inc({ end: "warm" }, moved);
    metrics.handed_over_total.inc({ end: "cold" }, sessions.length - moved);
  }

  /** Beginnings that nobody who stays holds: each goes to the one that would be asked for it. */
  #orphans(leaving: string): Task[] {
    const { clock, staying, weight } = this.#deps;
    const lost = this.#hot.hottest(clock.now()).filter((beginning) => {
      const holders = this.#deps.beginning(beginning.prompt)?.holders ?? [];
      return holders.includes(leaving) && this.#holders(beginning).length === 0;
    });
    return lost.slice(0, this.#options.beginningsMax).map((beginning) => ({
      recent: asRecent(beginning),
      to: () => {
        const [first] = [...staying(beginning.prompt)].sort((a, b) => weight(beginning.name, b) - weight(beginning.name, a));
        return first === undefined ? undefined : { worker: first, lease: "none" as const };
      },
    }));
  }

  #holders({ prompt }: Beginning): string[] {
    const staying = new Set(this.#deps.staying(prompt));
    return (this.#deps.beginning(prompt)?.holders ?? []).filter((holder) => staying.has(holder));
  }

  /** In their order, a few at once, until `over`; those that became warm. */
  async #each(
    tasks: readonly Task[],
    { why, atOnce, over }: { why: "hand_over" | "join"; atOnce: number; over?: AbortSignal },
  ): Promise<ReadonlySet<Recent>> {
    const { send, warmed, metrics } = this.#deps;
    const warm = new Set<Recent>();
    const left = tasks.values();
    const one = async () => {
      for (const { recent, to } of left) {
        const target = over?.aborted ? undefined : to();
        if (!target) continue;
        const is = await send(target.worker, recent.tenant, recent.prompt);
        metrics.prewarms_total.inc({ why, end: is ? "warm" : "not_warm" });
        if (!is || over?.aborted) continue;
        warm.add(recent);
        warmed(target.worker, recent, target.lease);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, tasks.length) }, one));
    return warm;
  }
}

/** Nobody's session. */
function asRecent({ tenant, prompt }: Beginning): Recent {
  return { session: "", document: "", tenant, prompt };
}
