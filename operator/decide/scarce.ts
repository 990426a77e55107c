// scarce: GPUs of one class that are fewer than all pools want in, workers that each pool may have out. First everybody's fewest, then
// what is wanted: inline before chat before batch, because an answer after the next key is worth nothing and a batch can wait. Within a
// tier one worker each in turn, so that no pool starves beside its like.
import type { Claim } from "../moves.ts";

const tiers: readonly Claim["tier"][] = ["Inline", "Chat", "Batch"];

export function shareScarce(gpus: number, claims: readonly Claim[]): ReadonlyMap<string, number> {
  const granted = new Map(claims.map(({ pool }) => [pool, 0]));
  let left = gpus;
  for (const upTo of [({ minReplicas, wanted }: Claim) => Math.min(minReplicas, wanted), ({ wanted }: Claim) => wanted])
    for (const tier of tiers) {
      const mine = claims.filter((claim) => claim.tier === tier);
      for (let gave = true; gave; ) {
        gave = false;
        for (const claim of mine) {
          const has = granted.get(claim.pool) ?? 0;
          if (has >= upTo(claim) || claim.gpus > left) continue;
          granted.set(claim.pool, has + 1);
          left -= claim.gpus;
          gave = true;
        }
      }
    }
  return granted;
}
