// random: the only source of chance. `seeded` gives the same numbers for the same seed on every machine.
import { randomBytes, randomFillSync } from "node:crypto";

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Lower-case hexadecimal digits, for ids. */
  hex(digits: number): string;
}

/** For processes: seeded from the machine; ids (resume tokens among them) cannot be guessed. */
export function systemRandom(): Random {
  // Asking the machine costs the same for one id as for hundreds. What was given out is wiped: no dump of memory holds it here.
  const pool = Buffer.alloc(poolBytes);
  let used = poolBytes;
  return {
    next: seeded(randomBytes(4).readUInt32LE(0)).next,
    hex(digits) {
      const bytes = (digits + 1) >> 1;
      if (bytes > poolBytes) return randomBytes(bytes).toString("hex").slice(0, digits);
      if (used + bytes > poolBytes) {
        randomFillSync(pool);
        used = 0;
      }
      const text = pool.toString("hex", used, used + bytes).slice(0, digits);
      pool.fill(0, used, used + bytes);
      used += bytes;
      return text;
    },
  };
}

const poolBytes = 4_096;

/** sfc32: small, fast, passes PractRand; four words of state from one seed. */
export function seeded(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = seed | 0;
  const word = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) word();
  return {
    next: () => word() / 0x1_0000_0000,
    hex(digits) {
      let text = "";
      while (text.length < digits) text += word().toString(16).padStart(8, "0");
      return text.slice(0, digits);
    },
  };
}

/** A whole number in [0, below). */
export function below(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** A stream of its own from a parent, so that one part drawing more never moves another. */
export function fork(random: Random): Random {
  return seeded(Math.floor(random.next() * 0x1_0000_0000));
}

/** Standard normal (Box–Muller). */
export function normal(random: Random): number {
  const u = 1 - random.next();
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random.next());
}

/** Lognormal with the given median and sigma of the logarithm. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}
