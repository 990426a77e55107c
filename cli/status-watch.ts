// status-watch: `slipstream status --watch`: the console's live view in a terminal, from the same stream: figures and a line of the last
// minutes each, drawn anew in place once a second, until Ctrl-C.
import { request as inTheClear } from "node:http";
import { request as overTls } from "node:https";
import { parseAddress } from "../lib/address.ts";
import type { LiveHead, LiveLine } from "../lib/live.ts";
import { History } from "../lib/live-history.ts";
import type { Io } from "./command.ts";
import { type Reach, unreachable } from "./reaching.ts";
import { drawn } from "./status-drawing.ts";

const pointsMax = 300;
const lineBytesMax = 4 << 20;
/** Above what was drawn before; `clear` wipes what a shorter drawing leaves. */
const home = "\u001b[H";
const clear = "\u001b[J";
const [alternate, back] = ["\u001b[?1049h\u001b[?25l", "\u001b[?25h\u001b[?1049l"];

/** Returns when the router ends the stream, or `signal` aborts. `terminal`: drawn in place, else one drawing after another. */
export async function watch(
  reach: Reach,
  io: Pick<Io, "out">,
  options: { size: () => { columns: number; rows: number }; terminal: boolean; signal: AbortSignal },
): Promise<void> {
  let head: LiveHead | undefined;
  let history: History | undefined;
  if (options.terminal) io.out(alternate);
  try {
    for await (const line of lines(reach, options.signal)) {
      if ("head" in line) {
        head = line.head;
        history = new History({ pointsMax, boundsMs: head.boundsMs });
      } else if ("past" in line) for (const frame of line.past) history?.add(frame);
      else if (head && history) {
        history.add(line.frame);
        const text = drawn({ head, points: history.points, now: line.now }, options.size());
        io.out(options.terminal ? `${home}${text.trimEnd().replaceAll("\n", "\u001b[K\n")}\u001b[K${clear}` : `${text}\n`);
      }
    }
  } finally {
    if (options.terminal) io.out(back);
  }
}

async function* lines(reach: Reach, signal: AbortSignal): AsyncGenerator<LiveLine, void> {
  const { address, tls, metadata } = reach;
  const { host, port } = parseAddress(address);
  const name = tls?.serverName === undefined ? {} : { servername: tls.serverName };
  const where = { host, port, path: "/live", signal, headers: metadata, agent: false as const };
  const secure = { ...where, ...name, secureContext: tls?.context };
  const call = tls ? overTls(secure) : inTheClear(where);
  try {
    const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
      call.once("response", resolve).once("error", reject);
      call.end();
    });
    if (response.statusCode !== 200) throw new Error(`something answers, with HTTP ${response.statusCode}`);
    response.setEncoding("utf8");
    let rest = "";
    for await (const part of response) {
      const parts = (rest + part).split("\n");
      rest = parts.pop() ?? "";
      if (rest.length > lineBytesMax) throw new Error("something answers, with a line that has no end");
      for (const text of parts) yield JSON.parse(text) as LiveLine;
    }
  } catch (thrown) {
    if (!signal.aborted) throw unreachable(reach, "router's admin port", thrown);
  }
}
