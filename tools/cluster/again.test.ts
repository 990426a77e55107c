import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { again } from "./again.ts";

test("a program that ends is begun anew, with its words, and what it ended with is told", async () => {
  const [shell = "", ...words] = again(["sh", "-c", 'echo "run of $0"; exit 7', "two words"], 0);
  const child = spawn(shell, words, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  try {
    for await (const data of child.stdout) {
      said += data;
      if (said.split("run of two words").length > 2) break;
    }
    expect(said).toMatch(/^run of two words\nit ended with 7 and begins anew\nrun of two words\n/);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});
