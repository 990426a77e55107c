// options: the command line of a language server: its help, its options, and the settings that they mean. The same for
// `slipstream lsp` and for the program of the small package.
import type { Settings } from "./settings.ts";

export const helpOf = (program: string) => `Usage: ${program} [OPTIONS]

A language server for inline completion (LSP 3.18) on standard input and output: an editor starts it. Settings come from the
editor (docs/editors.md); until it says others, from these.

Options:
  --address HOST:PORT    the router (default 127.0.0.1:7411, or SLIPSTREAM_ADDRESS)
  --token KEY            an API key (default SLIPSTREAM_TOKEN)
  --ca FILE              speak TLS and believe these authorities (SLIPSTREAM_CA)
  --no-start             do not start "slipstream up" where nobody listens on this machine
`;

export const optionTable = (env: Readonly<Record<string, string | undefined>>) =>
  ({
    address: { type: "string", default: env["SLIPSTREAM_ADDRESS"] ?? "127.0.0.1:7411" },
    token: { type: "string", default: env["SLIPSTREAM_TOKEN"] ?? "" },
    ca: { type: "string", default: env["SLIPSTREAM_CA"] ?? "" },
    "no-start": { type: "boolean", default: false },
    // Editors add it to whatever they start.
    stdio: { type: "boolean", default: true },
  }) as const;

export function settingsOf(values: Readonly<Record<string, unknown>>): Partial<Settings> {
  return {
    address: String(values["address"]),
    token: String(values["token"]),
    ca: String(values["ca"]),
    start: !values["no-start"],
  };
}
