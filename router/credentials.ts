// credentials: the files that say whom a router lets in and by which certificates it is known, read and watched before any port
// is opened.
import type { Clock } from "../lib/clock.ts";
import { KeyRing } from "../lib/keys/key-ring.ts";
import type { Log } from "../lib/log.ts";
import { type FilesState, WatchedFiles } from "../lib/watched-files.ts";
import type { RouterConfig } from "./config.ts";
import type { RouterMetrics } from "./metrics.ts";

export interface Credentials {
  /** API keys as they are now; absent: nobody is asked who they are. */
  readonly keys?: () => KeyRing;
  /** For the status: what is read from where, and whether it stands. */
  readonly files: () => readonly FilesState[];
  readonly name: string;
  close(): void;
}

/** A hundred thousand lines. */
const keysBytesMax = 16 << 20;

export async function openCredentials(
  config: RouterConfig,
  deps: { clock: Clock; log: Log; metrics: RouterMetrics },
): Promise<Credentials> {
  const watched: WatchedFiles<unknown>[] = [];
  const open = async <T>(what: string, paths: readonly string[], bytesMax: number, parse: (contents: readonly Buffer[]) => T) => {
    const files = await WatchedFiles.open({ what, paths, bytesMax, everyMs: config.filesEveryMs }, { ...deps, parse });
    watched.push(files as WatchedFiles<unknown>);
    return files;
  };
  const path = config.keysFile;
  const keys =
    path === "" ? undefined : await open("keys", [path], keysBytesMax, ([content]) => KeyRing.parse(String(content), path));
  return {
    ...(keys ? { keys: () => keys.value } : {}),
    files: () => watched.map((files) => files.state),
    name: "credentials",
    close: () => {
      for (const files of watched) files.close();
    },
  };
}
