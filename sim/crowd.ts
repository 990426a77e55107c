// crowd: people before one simulated fleet: who type (a trigger at each key), who ask by hand, who chat, and jobs in batch. Traces
// and a router in, one record a trigger out. Nobody takes what is shown: typing goes on as it was. Until `stop`.
import { setMaxListeners } from "node:events";
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../lib/clock.ts";
import { lognormal, type Random } from "../lib/random.ts";
import { CompleteRequestSchema, GenerateRequestSchema, Role, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { Lane, Milestones, Outcome, Reason, Trigger } from "../router/completion.ts";
import type { Router } from "../router/router.ts";
import { generateTrace, type Source } from "./trace/generate.ts";

export interface Crowd {
  readonly tenant: string;
  /** "ask": an INVOKED trigger at each key, which no gate holds back and no pause delays. */
  readonly what: "type" | "ask" | "chat" | "batch" | "share";
  readonly people: number;
  /** Of "share": short sessions that begin with one of so many long texts; `hot` of them with the first. */
  readonly beginnings?: number;
  readonly hot?: number;
  /** How much faster than people type. */
  readonly haste?: number;
}

export interface CrowdRecord {
  readonly tenant: string;
  readonly lane: Lane;
  readonly atMs: number;
  readonly deadlineMs: number;
  readonly outcome: Outcome;
  readonly reason: Reason | undefined;
  readonly code: string | undefined;
  /** Sent to a worker. */
  readonly started: boolean;
  /** Who answered. */
  readonly worker: string | undefined;
  readonly model: string | undefined;
  readonly firstTextMs: number | undefined;
  readonly totalMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly router: Router;
  readonly sources: readonly Source[];
  readonly record: (record: CrowdRecord) => void;
}

const keysPerTrace = 400;
const maxTokens = 32;
const chatEveryMs = 4_000;
const chatTokens = 96;
const batchTokens = 192;
const shareEveryMs = 1_000;
const shareTokens = 24;
/** Some 3,400 tokens. */
const shareUtf16 = 12_000;

export class People {
  readonly #over = new AbortController();
  readonly #deps: Deps;
  readonly #deadlineMs: number;

  constructor(crowds: readonly Crowd[], options: { readonly deadlineMs: number; readonly seed: number }, deps: Deps) {
    this.#deps = deps;
    this.#deadlineMs = options.deadlineMs;
    // Everybody waits on it.
    setMaxListeners(0, this.#over.signal);
    let person = 0;
    for (const crowd of crowds)
      for (let i = 0; i < crowd.people; i++) {
        // No two type the same: else one would be answered from what the other was.
        person += 1;
        const name = `${crowd.tenant}-${crowd.what}-${i}`;
        const living =
          crowd.what === "share"
            ? this.#share(crowd, name)
            : crowd.what === "chat" || crowd.what === "batch"
              ? this.#chat(crowd, name)
              : this.#type(crowd, name, options.seed * 7_919 + person);
        living.catch(() => {});
      }
  }

  stop(): void {
    this.#over.abort(new Error("the run is over"));
  }

  async #type({ tenant, what, haste = 1 }: Crowd, session: string, seed: number): Promise<void> {
    const { clock, random, router, sources } = this.#deps;
    const { signal } = this.#over;
    // Nobody begins with the others.
    await clock.sleep(random.next() * 2_000, signal);
    for (let nth = 0; ; nth++) {
      const source = sources[(seed + nth * 31) % sources.length] as Source;
      const trace = generateTrace({ ...source, seed: seed + nth, keys: keysPerTrace, typing: { typoProbability: 0.02 } });
      let text = trace.documents[0]?.text ?? "";
      const startMs = clock.now();
      for (const { tMs, edit, cursor } of trace.events) {
        await clock.sleep(Math.max(0, startMs + tMs / haste - clock.now()), signal);
        if (edit) text = text.slice(0, edit.startUtf16) + edit.text + text.slice(edit.endUtf16);
        const request = create(CompleteRequestSchema, {
          ...{
            sessionId: session,
            documentId: `d${nth}`,
            path: source.path,
            language: source.language,
            deadlineMs: this.#deadlineMs,
          },
          ...{ prefix: text.slice(0, cursor), suffix: text.slice(cursor), stream: true, sampling: { maxTokens } },
          kind: what === "ask" ? TriggerKind.INVOKED : TriggerKind.AUTO,
        });
        void this.#follow(router.ingress.complete(request, tenant, signal));
      }
    }
  }

  async #chat({ tenant, what, haste = 1 }: Crowd, session: string): Promise<void> {
    const { clock, random, router } = this.#deps;
    const { signal } = this.#over;
    for (let turn = 0; ; turn++) {
      await clock.sleep(lognormal(random, chatEveryMs / haste, 0.7), signal);
      const request = create(GenerateRequestSchema, {
        ...{ sessionId: `${session}-${turn % 4}`, sampling: { maxTokens: what === "batch" ? batchTokens : chatTokens } },
        messages: [{ role: Role.USER, content: `Question ${turn} of ${session}: what does this do? ${"code ".repeat(150)}` }],
        deadlineMs: what === "batch" ? 120_000 : 20_000,
      });
      const trigger = router.ingress.generate(request, tenant, signal);
      await this.#follow(what === "batch" ? { ...trigger, lane: "batch" } : trigger);
    }
  }

  /** One question after the other, each in a session of its own, behind a long text that others begin with too. */
  async #share({ tenant, haste = 1, beginnings = 1, hot = 0 }: Crowd, session: string): Promise<void> {
    const { clock, random, router } = this.#deps;
    const { signal } = this.#over;
    await clock.sleep(random.next() * 2_000, signal);
    for (let turn = 0; ; turn++) {
      const which = random.next() < hot ? 0 : Math.floor(random.next() * beginnings);
      const request = create(GenerateRequestSchema, {
        ...{ sessionId: `${session}-${turn}`, sampling: { maxTokens: shareTokens }, deadlineMs: 20_000 },
        messages: [
          { role: Role.SYSTEM, content: `Instructions ${which}. `.repeat(Math.ceil(shareUtf16 / 16)) },
          { role: Role.USER, content: `Question ${turn} of ${session}: what does this do?` },
        ],
      });
      await this.#follow(router.ingress.generate(request, tenant, signal));
      await clock.sleep(lognormal(random, shareEveryMs / haste, 0.7), signal);
    }
  }

  async #follow(trigger: Trigger): Promise<void> {
    const { clock, router, record } = this.#deps;
    const { tenant, lane, receivedMs, deadlineMs } = trigger;
    const at: Milestones = {};
    const path = router.run(trigger, at);
    let step = await path.next();
    while (!step.done) step = await path.next();
    if (this.#over.signal.aborted) return;
    const { outcome, reason, code, worker, model } = step.value;
    record({
      ...{
        tenant,
        lane,
        atMs: receivedMs,
        deadlineMs: deadlineMs - receivedMs,
        outcome,
        reason,
        code,
        started: at.placedMs !== undefined,
      },
      ...{ worker, model },
      firstTextMs: at.firstTextMs === undefined ? undefined : at.firstTextMs - receivedMs,
      totalMs: clock.now() - receivedMs,
    });
  }
}
