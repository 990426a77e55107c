// console-tools: what the console is tried with: a browser as people have it, and rules of accessibility.
import type { Tool } from "./tool-table.ts";

const axeSha256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745";
const axe = { package: "axe-core", sha256: axeSha256 } as const;

export const consoleTools = {
  chromium: {
    version: "system",
    for: "the console in a real browser",
    scripts: ["npm run test:system", "npm run test:night", "npm run console:pictures"],
    probe: ["--version"],
    source: { kind: "system", packages: ["chromium"], program: "/usr/bin/chromium" },
  },
  axe: {
    version: "4.14.1",
    for: "looking for what keeps people from using the console (axe-core, for tests alone)",
    scripts: ["npm run test:system"],
    probe: [],
    source: {
      kind: "npm",
      program: "package/axe.min.js",
      archives: { "linux-x64": axe, "linux-arm64": axe, "darwin-x64": axe, "darwin-arm64": axe },
    },
  },
} as const satisfies Record<string, Tool>;
