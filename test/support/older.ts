// older: this project as it was, in a folder of its own, for what must get on with an older part of itself.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../tools/command.ts";

const contract = "proto/slipstream/v1/worker.proto";
const git = (...words: string[]) => command(["git", ...words], "git does not answer");

/** Before the last change of the contract between routers and workers; undefined where the history does not reach so far. */
export async function olderRef(): Promise<string | undefined> {
  const asked = process.env["SLIPSTREAM_E2E_OLDER"];
  if (asked) return asked;
  const changed = (await git("log", "-1", "--format=%H", "--", contract)).trim();
  const before = await git("rev-parse", "--verify", "--quiet", `${changed}^`).catch(() => "");
  return before.trim() || undefined;
}

export class OlderCheckout implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async of(ref: string): Promise<OlderCheckout> {
    const folder = join(mkdtempSync(join(tmpdir(), "slipstream-older-")), "checkout");
    await git("worktree", "add", "--detach", "--force", folder, ref);
    return new OlderCheckout(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await git("worktree", "remove", "--force", this.folder);
    rmSync(join(this.folder, ".."), { recursive: true, force: true });
  }
}
