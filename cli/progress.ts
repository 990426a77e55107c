// progress: how far a measurement is, "what: 3 of 10", said to the person who waits.
import type { Io } from "./command.ts";

export function progressOn(io: Io): (text: string) => void {
  let shown = "";
  return (text) => {
    // A line for each tenth: a log stays readable.
    const [, what = text, at = "0", all = "1"] = /^(.*): (\d+) of (\d+)/.exec(text) ?? [];
    const tenth = `${what} ${Math.floor((Number(at) * 10) / Number(all))}`;
    if (tenth === shown) return;
    shown = tenth;
    io.complain(text);
  };
}
