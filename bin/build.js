// build: makes sure `dist` holds the program before it is started. Compares the sources with the fingerprint left by the
// last build and, when they differ, runs the local TypeScript into a folder of its own and renames it into place, under a
// lock, so that starts at the same moment never see half a program. An installation without sources starts as it is.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const exitUnavailable = 69;
/** A live process may hold the lock this long (its number may have passed to another), one that has not yet written its number this. */
const lockStaleMs = 600_000;
const lockNamelessMs = 5_000;
const lockWaitMs = 120_000;
const lockPollMs = 50;
/** Folders that never hold program sources; `test` is left out of the build by tsconfig.build.json as well. */
const notSource = new Set(["node_modules", "dist", "test", "loadtest", "models", "docs", "charts", "coverage", "reports"]);
/** The page's own sheets, in the order in which a later one overrides an earlier. */
const styles = ["tokens", "frame", "playground", "steps", "live", "tables", "narrow"];

/** Where a root keeps its build, the mark of its sources, and the lock of whoever builds. */
function places(base) {
  return { dist: join(base, "dist"), stamp: join(base, "dist", ".stamp"), lock: join(base, "dist.lock") };
}

/** Path, size and time of every source; a build is as good as new while this is the same. */
export function fingerprint(base = root) {
  const hash = createHash("sha256");
  const add = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat) hash.update(`${relative(base, path)} ${stat.size} ${stat.mtimeMs}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".") || entry.name.startsWith("dist.") || notSource.has(entry.name)) continue;
      if (entry.isDirectory()) walk(join(folder, entry.name));
      else if (/\.(ts|css|html)$/.test(entry.name) && !entry.name.endsWith(".test.ts") && entry.name !== "vitest.config.ts")
        add(join(folder, entry.name));
    }
  };
  walk(base);
  for (const name of ["tsconfig.json", "tsconfig.build.json", "package-lock.json"]) add(join(base, name));
  return hash.digest("hex");
}

function readStamp(base) {
  try {
    return JSON.parse(readFileSync(places(base).stamp, "utf8"));
  } catch {
    return undefined;
  }
}

/** Folder of a package, or undefined in an installation without development dependencies. */
function packageFolder(base, name) {
  try {
    return dirname(createRequire(join(base, "package.json")).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** Path of the local compiler. */
function compiler(base) {
  const folder = packageFolder(base, "typescript");
  return folder && join(folder, "bin", "tsc");
}

function sleepMs(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** True while the process that made the lock may still be building. */
function held(lock) {
  const stat = statSync(lock, { throwIfNoEntry: false });
  if (!stat) return false;
  const ageMs = Date.now() - stat.mtimeMs;
  try {
    process.kill(Number(readFileSync(join(lock, "pid"), "utf8")), 0);
    return ageMs < lockStaleMs;
  } catch (error) {
    if (error.code === "EPERM") return ageMs < lockStaleMs;
    return error.code === "ENOENT" && ageMs < lockNamelessMs;
  }
}

/** Takes the lock, waiting for another build to end; a lock whose owner died is taken over. */
function takeLock(base) {
  const { lock } = places(base);
  const until = Date.now() + lockWaitMs;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, "pid"), String(process.pid));
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!held(lock)) {
      // Renaming is the vote: of several that see a stale lock, one removes it.
      const grave = `${lock}.${process.pid}`;
      try {
        renameSync(lock, grave);
        rmSync(grave, { recursive: true, force: true });
      } catch {
        // another process was first
      }
      continue;
    }
    if (Date.now() > until)
      throw new Error(`another build has held ${lock} for ${lockWaitMs / 1000} s; if none runs, remove that folder`);
    sleepMs(lockPollMs);
  }
}

/**
 * The console's page as files that a router hands out: one script, one sheet, each beside its gzip. Returns what went wrong, or
 * undefined; a router serves without its page too.
 */
function bundle(base, into) {
  const page = join(base, "console");
  if (!existsSync(join(page, "main.ts"))) return undefined;
  const [rolldown, plots] = [packageFolder(base, "rolldown"), packageFolder(base, "uplot")];
  if (!rolldown || !plots) return "its packages are not installed";
  mkdirSync(into, { recursive: true });
  const shape = ["--format", "esm", "--minify", "--platform", "browser", "--log-level", "warn"];
  const words = [join(rolldown, "bin", "cli.mjs"), join(page, "main.ts"), "--file", join(into, "app.js"), ...shape];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: base, encoding: "utf8" });
  if (status !== 0) return `${stdout}${stderr}`.trim();
  const sheets = [join(plots, "dist", "uPlot.min.css"), ...styles.map((name) => join(page, "style", `${name}.css`))].map((path) =>
    readFileSync(path, "utf8"),
  );
  writeFileSync(join(into, "app.css"), sheets.join("\n"));
  copyFileSync(join(page, "index.html"), join(into, "index.html"));
  for (const name of readdirSync(into))
    writeFileSync(join(into, `${name}.gz`), gzipSync(readFileSync(join(into, name)), { level: 9 }));
  return undefined;
}

/** Compiles into a folder of its own and puts it in the place of `dist`. Returns how many type errors there were. */
function compile(base, tsc, mark, show) {
  const { dist } = places(base);
  const fresh = `${dist}.${process.pid}`;
  const old = `${fresh}.old`;
  rmSync(fresh, { recursive: true, force: true });
  const arguments_ = [tsc, "-p", join(base, "tsconfig.build.json"), "--outDir", fresh, "--pretty", "false"];
  const result = spawnSync(process.execPath, arguments_, { cwd: base, encoding: "utf8", maxBuffer: 64 << 20 });
  if (result.error) throw result.error;
  const errors = result.stdout.split("\n").filter((line) => /: error TS\d+/.test(line)).length;
  if (show) process.stderr.write(result.stdout);
  if (!existsSync(fresh)) throw new Error(`the TypeScript build wrote nothing\n${result.stdout}${result.stderr}`);
  const unbundled = bundle(base, join(fresh, "console"));
  if (unbundled !== undefined) process.stderr.write(`slipstream: the console's page could not be made: ${unbundled}\n`);
  const problems = errors + (unbundled === undefined ? 0 : 1);
  writeFileSync(join(fresh, ".stamp"), `${JSON.stringify({ fingerprint: mark, problems })}\n`);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
  return problems;
}

/**
 * Builds when `dist` is missing or other than the sources. Type errors do not stop a start (`npm run check` does): a
 * developer in the middle of a change can run it. Returns what was found, or a sentence why nothing can be started.
 */
export function ensureBuilt(options = {}) {
  const base = options.base ?? root;
  const say = options.say ?? ((line) => process.stderr.write(`slipstream: ${line}\n`));
  const hasDist = () => existsSync(places(base).dist);
  if (!existsSync(join(base, "tsconfig.build.json"))) {
    return hasDist()
      ? { ok: true, built: false }
      : { ok: false, why: "neither dist nor sources are here; install the package again" };
  }
  const current = () => {
    const mark = fingerprint(base);
    const stamp = readStamp(base);
    return { mark, problems: stamp?.problems ?? 0, fresh: stamp?.fingerprint === mark };
  };
  const first = current();
  if (!first.fresh) {
    const tsc = compiler(base);
    if (!tsc) {
      if (!hasDist()) return { ok: false, why: "dist is missing and TypeScript is not installed to build it; run npm ci" };
      say("the sources are newer than dist and TypeScript is not installed; starting dist as it is");
      return { ok: true, built: false };
    }
    const release = takeLock(base);
    try {
      const again = current();
      if (!again.fresh) {
        say(hasDist() ? "the sources have changed, building dist" : "first start, building dist");
        again.problems = compile(base, tsc, again.mark, options.show ?? false);
      }
      first.problems = again.problems;
    } finally {
      release();
    }
  }
  if (first.problems > 0) say(`dist was built with type errors (${first.problems}); npm run check shows them`);
  return { ok: true, built: !first.fresh, problems: first.problems };
}

/** Builds if need be and starts one module of dist; ends with 69 and a sentence when there is nothing to start. */
export async function start(name) {
  let result;
  try {
    result = ensureBuilt();
  } catch (error) {
    result = { ok: false, why: error.message };
  }
  const module = join(root, "dist", `${name}.js`);
  if (result.ok && existsSync(module)) {
    process.argv[1] = module;
    await import(module);
    return;
  }
  process.stderr.write(`slipstream: ${result.ok ? `there is no ${name} to run` : result.why}\n`);
  process.exitCode = result.ok ? 64 : exitUnavailable;
}

// `npm run build`: unlike a start it fails on type errors and shows them, also when the build is not new.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(places(root).stamp, { force: true });
  const result = ensureBuilt({ show: true });
  if (!result.ok) process.stderr.write(`slipstream: ${result.why}\n`);
  process.exitCode = result.ok ? Math.min(result.problems ?? 0, 1) : exitUnavailable;
}
