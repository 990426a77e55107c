// line: a straight line y = at0 + slope·x, fitted sample by sample and without keeping any: recursive least squares that slowly
// forgets, where one sample beyond three times the usual error counts no more than three times would. Never falls.

export interface Line {
  readonly at0: number;
  readonly slope: number;
  /** Usual square of the error. */
  readonly noise: number;
  /** How unsure both are: variances of at0 and slope, and what they share. */
  readonly unsure: readonly [at0: number, both: number, slope: number];
}

/** What a line may wander between two samples, as a share of its first uncertainty, which it never exceeds. */
const wander = 2e-4;
const noiseKeeps = 0.98;
const clipped = 3;

export const firstLine = (at0: number, slope: number): Line => ({ at0, slope, noise: at0 * at0 * 0.01, unsure: first(at0, slope) });

export const lineAt = ({ at0, slope }: Line, x: number): number => at0 + slope * x;

export function sampled(line: Line, x: number, y: number): Line {
  const { at0, slope, noise } = line;
  const [most0, , mostSlope] = first(at0, slope);
  const [u0, u01, u1] = line.unsure;
  const [p0, p1] = [Math.min(most0, u0 + wander * most0), Math.min(mostSlope, u1 + wander * mostSlope)];
  const [g0, g1] = [p0 + u01 * x, u01 + p1 * x];
  const variance = g0 + g1 * x + noise;
  const limit = clipped * Math.sqrt(variance);
  const error = Math.min(limit, Math.max(-limit, y - lineAt(line, x)));
  const moved = { at0: at0 + (g0 * error) / variance, slope: slope + (g1 * error) / variance };
  return {
    at0: moved.at0,
    slope: Math.max(0, moved.slope),
    noise: Math.max(1e-6, noiseKeeps * noise + (1 - noiseKeeps) * error * error),
    unsure: [p0 - (g0 * g0) / variance, u01 - (g0 * g1) / variance, p1 - (g1 * g1) / variance],
  };
}

/** A quarter of the value, and as much slope as would double it at ten. */
function first(at0: number, slope: number): [number, number, number] {
  const most = Math.max(1, Math.abs(at0));
  return [(most / 4) ** 2, 0, Math.max(slope, most / 10) ** 2];
}
