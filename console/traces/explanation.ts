// explanation: what a router tells of one trigger on its admin port (router/explain), as far as the page reads it. Times in ms.

export interface Step {
  readonly room: string;
  readonly at_ms: number;
  readonly took_ms: number;
  readonly what: string;
}

export interface Explanation {
  readonly trigger: string;
  readonly completion: string | null;
  readonly trace: string | null;
  readonly tenant: string;
  readonly session: string;
  readonly lane: string;
  readonly kind: string;
  readonly language: string;
  readonly unix_ms: number;
  readonly outcome: string;
  readonly reason: string | null;
  readonly finish: string | null;
  readonly detail: string | null;
  readonly total_ms: number;
  readonly deadline_ms: number;
  readonly text_utf16: number;
  readonly worker: string | null;
  readonly model: string | null;
  readonly usage: {
    readonly promptTokens: number;
    readonly recomputedTokens: number;
    readonly completionTokens: number;
    readonly drafted: number;
    readonly draftAccepted: number;
  } | null;
  readonly steps: readonly Step[];
}
