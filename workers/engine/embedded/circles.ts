// circles: what a generation has said so far in, out which tokens would lead it round in a circle, and how far round it is. A
// small model that chooses greedily soon says the same few tokens for ever, and nothing of that is shown (router/stream): the
// typist gets nothing. Held back a little where a circle closes, it finds a way on. Pure; the prompt is not looked at: code
// does say again what it said elsewhere. What it brings: docs/operations/evaluation.md.

export interface Circle {
  readonly token: number;
  /** Tokens before it that are the same as at an earlier place that it followed. */
  readonly length: number;
}

/** One token alike is how code is written: every second one is a comma. */
const lengthMin = 2;
/** Circles further round than this are not held back more. */
const lengthMax = 12;
/** Taken off the logit of the token that closes a circle, for each token that is alike. What the model is sure of, it says. */
const logitEach = 1;

/** The tokens that would say something again, each with its longest circle. */
export function circles(said: readonly number[]): Circle[] {
  const end = said.length;
  const longest = new Map<number, number>();
  for (let at = lengthMin; at < end; at++) {
    const token = said[at] as number;
    let length = 0;
    while (length < lengthMax && length < at && said[at - 1 - length] === said[end - 1 - length]) length += 1;
    if (length >= lengthMin && length > (longest.get(token) ?? 0)) longest.set(token, length);
  }
  return [...longest].map(([token, length]) => ({ token, length }));
}

export const logitOf = ({ length }: Circle): number => -logitEach * length;
