// engine-process: a command in, a running engine out that is the agent's own: in a process group of its own, so that its helpers end
// with it. Says once when it has ended, and with what last words; at most some lines of them are kept.
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";

export interface ProcessOptions {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Time to end by itself before it is killed. */
  readonly graceMs?: number;
}

const wordsMax = 4_096;
/** What an engine logs may name a prompt; the line that says what went wrong does not. */
const vague = /see root cause above/i;
const telling = /error|exception|killed|out of memory|no space left|cannot |failed/i;
const wordMax = 300;
/** How long its last words may take from the pipe. */
const flushMs = 1_000;

export class EngineProcess {
  /** Why it is not there any more. */
  readonly exited: Promise<SlipstreamError>;
  readonly #options: ProcessOptions;
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  #words = "";
  #over = false;

  constructor(options: ProcessOptions, deps: { clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
    const [program = "", ...words] = options.command;
    this.#child = spawn(program, words, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      ...(options.env && { env: options.env }),
    });
    const listen = (text: string) => {
      this.#words = (this.#words + text).slice(-wordsMax);
    };
    this.#child.stdout?.setEncoding("utf8").on("data", listen);
    this.#child.stderr?.setEncoding("utf8").on("data", listen);
    this.exited = new Promise((resolve) => {
      const end = (how: string) => {
        const said = this.lastWords;
        resolve(new SlipstreamError("engine_failed", `the engine's process ${how}${said === "" ? "" : `; it said: ${said}`}`));
      };
      this.#child.once("error", (error) => {
        this.#over = true;
        end(`could not be started (${error.message})`);
      });
      this.#child.once("exit", (code, signal) => {
        const why = signal === "SIGKILL" ? " (was it out of memory?)" : "";
        this.#over = true;
        // A front that dies leaves what computes behind it, and that holds the memory, and the pipe of what it says.
        this.#signal("SIGKILL");
        const how = signal ? `ended by ${signal}${why}` : `ended with status ${code}`;
        const late = deps.clock.timer(flushMs, () => end(how));
        this.#child.once("close", () => {
          late[Symbol.dispose]();
          end(how);
        });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last line that says what went wrong; "": none did. */
  get lastWords(): string {
    const line = this.#words.split("\n").findLast((each) => telling.test(each) && !vague.test(each)) ?? "";
    return line.trim().slice(0, wordMax);
  }

  /** As kill -9, with all that belongs to it. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.exited;
  }

  /** Asks it to end, and kills it when it does not. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#signal("SIGTERM");
    using _late = this.#clock.timer(this.#options.graceMs ?? 5_000, () => this.#signal("SIGKILL"));
    await this.exited;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody is left in its group.
    }
  }
}
