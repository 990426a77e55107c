// ledger: who may have how many generations outstanding. Streams join as routers connect; Demand, submits and ends come
// in, Credits frames go out where a share changed. Bounded by the routers that are connected.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Demand, type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { type Lane, lanes } from "../generation.ts";
import { type PerLane, shareCredits } from "./credits.ts";

export interface LedgerOptions {
  readonly slots: number;
  /** Generations that wait here for a slot, so that none idles for a round trip. */
  readonly ahead?: number;
  /** A Submit sent before lower Credits arrived is in its right for so long. */
  readonly graceMs: number;
  /** Routers at once; more are refused. */
  readonly routersMax: number;
}

/** One generation on a router's account, from its Submit to its Done, Refused or CancelAck. */
export interface Claim extends Disposable {
  /** The engine is done with it; its text may still wait for the reader. */
  idle(): void;
}

interface Account {
  readonly router: string;
  readonly sends: Map<string, (frame: WorkerFrame) => unknown>;
  readonly active: Record<Lane, number>;
  /** Ended in the engine, text not all sent: on the router's account, but in nobody's way. */
  readonly lingering: Record<Lane, number>;
  demand: PerLane;
  credits: PerLane;
  /** Before the last reduction. */
  before: PerLane;
  reducedMs: number;
}

const none: PerLane = { inline: 0, chat: 0, speculative: 0, batch: 0 };
/** A Demand beyond this says no more than "much". */
const demandMax = 10_000;

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #clock: Clock;
  readonly #accounts = new Set<Account>();
  #slots: number;
  #closed = false;
  #due = false;

  constructor(options: LedgerOptions, deps: { clock: Clock }) {
    this.#options = options;
    this.#slots = options.slots;
    this.#clock = deps.clock;
  }

  /** A stream of `router`; its inline and bulk streams share one account. */
  join(router: string, channel: string, send: (frame: WorkerFrame) => unknown): LedgerStream {
    const account = [...this.#accounts].find((each) => each.router === router && !each.sends.has(channel)) ?? this.#open(router);
    // The others learn of their smaller shares, then this stream of its own.
    this.#tell();
    account.sends.set(channel, send);
    send(creditsFrame(account.credits));
    return {
      claim: (lane) => this.#claim(account, lane),
      demand: (demand) => {
        account.demand = { ...none, ...Object.fromEntries(lanes.map((lane) => [lane, Math.min(demand[lane], demandMax)])) };
        this.#changed();
      },
      [Symbol.dispose]: () => {
        account.sends.delete(channel);
        if (account.sends.size === 0) this.#accounts.delete(account);
        this.#changed();
      },
    };
  }

  /** So many slots may be used from now on. */
  resize(slots: number): void {
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.#changed();
  }

  /** No credits for anyone, until `reopen`. */
  close(): void {
    this.#closed = true;
    this.#changed();
  }

  reopen(): void {
    this.#closed = false;
    this.#changed();
  }

  #open(router: string): Account {
    if (this.#accounts.size >= this.#options.routersMax) {
      throw new SlipstreamError("overloaded", `${this.#options.routersMax} routers are connected, which is the most`);
    }
    const account: Account = {
      router,
      sends: new Map(),
      active: { ...none },
      lingering: { ...none },
      demand: none,
      credits: none,
      before: none,
      reducedMs: Number.NEGATIVE_INFINITY,
    };
    this.#accounts.add(account);
    return account;
  }

  #claim(account: Account, lane: Lane): Claim {
    if (this.#closed) throw new SlipstreamError("draining", "the worker takes no new work");
    const most = this.#allowed(account)[lane];
    if (account.active[lane] + account.lingering[lane] >= most) {
      throw new SlipstreamError("overloaded", `submit.lane: ${most} credits of lane ${lane}, all used`, { field: "submit.lane" });
    }
    let at: "active" | "lingering" | undefined = "active";
    account.active[lane] += 1;
    // The router had it queued until now; its next Demand may be on the way still.
    if (account.demand[lane] > 0) account.demand = { ...account.demand, [lane]: account.demand[lane] - 1 };
    this.#changed();
    const move = (to: typeof at) => {
      if (at === undefined) return;
      account[at][lane] -= 1;
      at = to;
      if (to) account[to][lane] += 1;
      this.#changed();
    };
    return { idle: () => at === "active" && move("lingering"), [Symbol.dispose]: () => move(undefined) };
  }

  /** What the router may have in good faith: lower Credits may not have reached it yet. */
  #allowed({ credits, before, reducedMs }: Account): PerLane {
    if (this.#clock.now() - reducedMs > this.#options.graceMs) return credits;
    return Object.fromEntries(lanes.map((lane) => [lane, Math.max(credits[lane], before[lane])])) as unknown as PerLane;
  }

  /** Frames that arrive together change the shares once. */
  #changed(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#tell();
    });
  }

  #tell(): void {
    const before = new Map([...this.#accounts].map((account) => [account, account.credits]));
    this.#share();
    for (const account of this.#accounts)
      if (lanes.some((lane) => before.get(account)?.[lane] !== account.credits[lane]))
        for (const send of account.sends.values()) send(creditsFrame(account.credits));
  }

  #share(): void {
    const accounts = [...this.#accounts];
    const shares = shareCredits(this.#slots, accounts, this.#options.ahead);
    for (const [index, account] of accounts.entries()) {
      const share = this.#closed ? none : (shares[index] as PerLane);
      const credits = Object.fromEntries(
        lanes.map((lane) => [lane, share[lane] + (this.#closed ? 0 : Math.min(account.lingering[lane], this.#options.slots))]),
      ) as unknown as PerLane;
      if (lanes.some((lane) => credits[lane] < account.credits[lane])) {
        account.before = this.#allowed(account);
        account.reducedMs = this.#clock.now();
      }
      account.credits = credits;
    }
  }
}

export interface LedgerStream extends Disposable {
  /** Takes a credit, or throws `overloaded`. */
  claim(lane: Lane): Claim;
  demand(demand: Demand): void;
}

function creditsFrame(credits: PerLane): WorkerFrame {
  return create(WorkerFrameSchema, { frame: { case: "credits", value: { ...credits } } });
}
