// lsp: `slipstream lsp`: the language server on standard input and output; an editor starts it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { helpOf, optionTable, settingsOf } from "../editor/lsp/options.ts";
import { serve } from "../editor/lsp/stdio.ts";
import { packageRoot } from "../lib/package-root.ts";
import type { Command } from "./command.ts";
import { options, refuseWords } from "./options.ts";

export const lsp: Command = async (args, io) => {
  const { values, positionals } = options(args, optionTable(io.env));
  if (values.help) {
    io.out(helpOf("slipstream lsp"));
    return 0;
  }
  refuseWords(positionals);
  return serve({ settings: settingsOf(values), startUp: started, on: io.on });
};

/** A router with the built-in model, of this very package. */
function started(address: string) {
  const words = ["up", "--grpc", address, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  return spawn(process.execPath, [join(packageRoot(), "bin/slipstream.js"), ...words], { stdio: ["ignore", "pipe", "ignore"] });
}
