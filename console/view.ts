// view: what a page of the console is to the frame around it: shown in a root of its own, and taken away again.
import type { Keys } from "./keys.ts";

export interface Console {
  readonly keys: Keys;
  /** Says that a key is wanted or refused; undefined: all is well again. */
  readonly refused: (which: keyof Keys, why: string | undefined) => void;
}

export interface View {
  readonly title: string;
  /** Adds itself to `root`; disposed when another view is shown. */
  show(root: HTMLElement, rest: string): Disposable;
}
