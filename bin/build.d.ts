export interface BuildResult {
  readonly ok: boolean;
  readonly built?: boolean;
  /** Type errors of the build in place. */
  readonly problems?: number;
  /** Set when `ok` is false. */
  readonly why?: string;
}

/** Folder of the package. */
export const root: string;
export function fingerprint(base?: string): string;
export function ensureBuilt(options?: { base?: string; say?: (line: string) => void; show?: boolean }): BuildResult;
export function start(name: string): Promise<void>;
