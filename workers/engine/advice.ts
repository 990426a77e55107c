// advice: what an engine was found to lack for Slipstream, in a sentence, and what of its flags or settings gives it.

export interface Advice {
  /** "lacks" costs a mechanism; "slower" costs time or knowledge. */
  readonly weight: "lacks" | "slower";
  readonly what: string;
  readonly flag: string;
}
