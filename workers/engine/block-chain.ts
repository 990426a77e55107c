// chain: the tokens of a prompt in, a key for each of its full blocks out, chained over all before it: equal keys mean equal
// prefixes of one tenant and one model. Of our own making: engines seed and serialise their hashes each in their way.

const offset = 0x811c9dc5;
const prime = 0x01000193;
const twist = 0x85ebca6b;

/** State of a chain after a block. */
interface Link {
  readonly a: number;
  readonly b: number;
}

/** What a chain begins with: tenant and adapter. */
export function seedOf(salt: string, adapter: string): number {
  let seed = offset;
  for (const byte of Buffer.from(`${salt}\u0000${adapter}`)) seed = Math.imul(seed ^ byte, prime) >>> 0;
  return seed;
}

/** Keys of the full blocks among `tokens`, which follow the block `parent`, or begin a prompt of `seed`. */
export function blockKeys(tokens: readonly number[], blockTokens: number, seed: number, parent?: number): number[] {
  const keys: number[] = [];
  let { a, b } = parent === undefined ? { a: seed, b: Math.imul(seed, twist) } : unfold(parent);
  for (let at = 0; at + blockTokens <= tokens.length; at += blockTokens) {
    for (let i = at; i < at + blockTokens; i++) {
      const token = tokens[i] as number;
      a = Math.imul(a ^ token, prime);
      b = Math.imul(b ^ (token + (a >>> 15)), twist);
      b ^= b >>> 13;
    }
    const key = fold(a >>> 0, b >>> 0);
    ({ a, b } = unfold(key));
    keys.push(key);
  }
  return keys;
}

/** 53 bits of the two words as one number: what a Map finds fastest. */
function fold(a: number, b: number): number {
  return a * 2 ** 21 + (b >>> 11);
}

function unfold(key: number): Link {
  return { a: Math.floor(key / 2 ** 21), b: Math.imul(key % 2 ** 21, 2 ** 11) ^ twist };
}
