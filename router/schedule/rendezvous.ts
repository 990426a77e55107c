// rendezvous: a session's workers by hash, the same on every router without talk: each worker's weight is a hash of both names,
// the highest owns. Few sessions move when workers come or go. Pure; the hash of a name is computed once.

/** Hash of a name: FNV-1a over its units, mixed so that names alike are not near each other. */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** How much a worker owns a session, by the hashes of their names. */
export function weightOf(session: number, worker: number): number {
  return mixed(session ^ worker);
}

/** The finaliser of MurmurHash3: every bit of the input moves half of the output's. */
function mixed(given: number): number {
  let hash = given;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
