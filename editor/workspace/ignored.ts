// ignored: paths of a folder in, whether their text may be read and sent out. Patterns as in .gitignore, the last that matches
// wins; files that hold secrets by their name, and folders that nobody wrote, are out whatever a pattern says.

interface Rule {
  readonly pattern: RegExp;
  readonly out: boolean;
  readonly foldersOnly: boolean;
}

/** Names that give themselves away. */
const secret =
  /(^|\/)(\.env(\..+)?|\.envrc|\.netrc|\.npmrc|\.pypirc|\.pgpass|\.htpasswd|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519)[^/]*|[^/]*\.(pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg)|credentials(\.[^/]+)?|secrets?\.[^/]+|\.(aws|ssh|gnupg|kube)\/.*)$/i;
const built = /(^|\/)(\.git|\.hg|\.svn|node_modules|\.venv|__pycache__|\.tox|\.mypy_cache|\.gradle|\.terraform)(\/|$)/;
const rulesMax = 2_048;

export class Ignored {
  #rules: Rule[] = [];

  constructor(patterns: readonly string[] = []) {
    this.add(patterns);
  }

  /** `base`: the folder, relative to the root, whose patterns these are. */
  add(patterns: readonly string[], base = ""): void {
    for (const line of patterns) {
      const rule = ruleOf(line, base);
      if (rule && this.#rules.length < rulesMax) this.#rules.push(rule);
    }
  }

  /** `path` is relative to the root, with slashes. A file in a folder that is out is out. */
  out(path: string, folder = false): boolean {
    if (secret.test(path) || built.test(path)) return true;
    const parts = path.split("/");
    for (let depth = 1; depth <= parts.length; depth++) {
      const part = parts.slice(0, depth).join("/");
      const isFolder = depth < parts.length || folder;
      const last = this.#rules.findLast(({ pattern, foldersOnly }) => (isFolder || !foldersOnly) && pattern.test(part));
      if (last?.out) return true;
    }
    return false;
  }
}

function ruleOf(line: string, base: string): Rule | undefined {
  let glob = line.replace(/(?<!\\)\s+$/, "");
  if (glob === "" || glob.startsWith("#") || glob.length > 512) return undefined;
  const out = !glob.startsWith("!");
  if (!out) glob = glob.slice(1);
  const foldersOnly = glob.endsWith("/");
  if (foldersOnly) glob = glob.slice(0, -1);
  const anchored = glob.includes("/");
  const body = translated(glob.replace(/^\//, ""));
  const root = base === "" ? "" : `${quoted(base)}/`;
  try {
    return { pattern: new RegExp(`^${root}${anchored ? "" : "(?:.*/)?"}${body}$`), out, foldersOnly };
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
