// command: what main gives a command, and what it wants back.

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  /** A sentence for a person, on stderr. */
  readonly complain: (sentence: string) => void;
  readonly on: (signal: "SIGINT" | "SIGTERM", act: () => void) => void;
  /** Ends the process though something still holds it open (lib/lifecycle.ts says when). */
  readonly force?: (exit: number) => void;
}
export type Command = (args: readonly string[], io: Io) => Promise<number>;
