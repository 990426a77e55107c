// ignored: patterns as in .gitignore in, what they say of a path out: the last that matches wins. Files that hold secrets by their
// name, and folders that nobody wrote, are out whatever a pattern says.

interface Rule {
  readonly pattern: RegExp;
  readonly out: boolean;
  readonly foldersOnly: boolean;
}

/** Names that give themselves away. */
const secret =
  /(^|\/)(\.env(\..+)?|\.envrc|\.netrc|\.npmrc|\.pypirc|\.pgpass|\.htpasswd|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519)[^/]*|[^/]*\.(pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg)|credentials(\.[^/]+)?|secrets?\.[^/]+|\.(aws|ssh|gnupg|kube)\/.*)$/i;
const built = /(^|\/)(\.git|\.hg|\.svn|node_modules|\.venv|__pycache__|\.tox|\.mypy_cache|\.gradle|\.terraform)(\/|$)/;
const rulesMax = 20_000;

/** Out by its name, wherever it is. */
export const outByName = (path: string) => secret.test(path) || built.test(path);

/** The patterns of one ignore file; paths are relative to its folder. */
export class Ignored {
  readonly #rules: readonly Rule[];

  constructor(patterns: readonly string[] = []) {
    this.#rules = patterns.slice(0, rulesMax).flatMap((line) => ruleOf(line) ?? []);
  }

  get empty(): boolean {
    return this.#rules.length === 0;
  }

  /** Of this very path, not of the folders it is in; undefined: nothing. */
  says(path: string, folder: boolean): "out" | "in" | undefined {
    const last = this.#rules.findLast(({ pattern, foldersOnly }) => (folder || !foldersOnly) && pattern.test(path));
    return last && (last.out ? "out" : "in");
  }
}

function ruleOf(line: string): Rule | undefined {
  let glob = line.replace(/\r$/, "").replace(/(?<!\\)\s+$/, "");
  if (glob === "" || glob.startsWith("#") || glob.length > 512) return undefined;
  const out = !glob.startsWith("!");
  if (!out) glob = glob.slice(1);
  const foldersOnly = glob.endsWith("/");
  if (foldersOnly) glob = glob.slice(0, -1);
  const anchored = glob.includes("/");
  try {
    return { pattern: new RegExp(`^${anchored ? "" : "(?:.*/)?"}${translated(glob.replace(/^\//, ""))}$`), out, foldersOnly };
  } catch {
    return undefined;
  }
}

const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function translated(glob: string): string {
  return glob.replace(/\*\*\/|\/\*\*$|\*\*|\*|\?|\[!?[^\]]*\]|\\.|[^*?[\\]+|\[/g, (piece) => {
    if (piece === "**/") return "(?:.*/)?";
    if (piece === "/**") return "/.*";
    if (piece === "**") return ".*";
    if (piece === "*") return "[^/]*";
    if (piece === "?") return "[^/]";
    if (piece.startsWith("[") && piece.length > 2) return piece.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return quoted(piece.startsWith("\\") ? piece.slice(1) : piece);
  });
}
