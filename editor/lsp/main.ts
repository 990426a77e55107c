#!/usr/bin/env node
// main: the program of the small package, `slipstream-lsp`: the language server alone. The router that it may start is the
// `slipstream` on the person's path.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { keepAlive } from "../../lib/clock.ts";
import { helpOf, optionTable, settingsOf } from "./options.ts";
import { serve } from "./stdio.ts";

async function main(): Promise<number> {
  const options = { ...optionTable(process.env), help: { type: "boolean", short: "h" } } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) process.stdout.write(helpOf("slipstream-lsp"));
    else
      return await serve({
        settings: settingsOf(values),
        startUp: (address) => {
          const words = ["up", "--grpc", address, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
          return spawn("slipstream", words, { stdio: ["ignore", "pipe", "ignore"], shell: process.platform === "win32" });
        },
        on: (signal, act) => void process.on(signal, act),
      });
    return 0;
  } catch (thrown) {
    process.stderr.write(`slipstream-lsp: ${(thrown as Error).message.split(". ")[0]}; --help shows the options\n`);
    return 64;
  }
}

process.noDeprecation = true;
// Timers never keep the process alive; an editor that is there does.
const running = keepAlive();
process.exitCode = await main();
running[Symbol.dispose]();
