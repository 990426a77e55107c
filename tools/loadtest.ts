// loadtest: `npm run loadtest -- SCENARIO [OPTIONS]`: brings k6 where it is missing, and runs `slipstream bench k6` with it.
import { bring } from "./bring.ts";
import { run } from "./child.ts";

const [scenario, ...rest] = process.argv.slice(2);
const named = scenario === undefined || scenario.startsWith("-") ? [] : ["--scenario", scenario];
const words = [...named, ...(named.length > 0 ? rest : process.argv.slice(2))];
try {
  const k6 = await bring("k6", { say: (line) => void process.stderr.write(`${line}\n`) });
  const { code } = await run([process.execPath, "bin/slipstream.js", "bench", "k6", ...words, "--k6", k6], { show: true });
  process.exitCode = code;
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 69;
}
