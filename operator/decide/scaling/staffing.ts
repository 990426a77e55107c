// staffing: an offered load in, workers out, by the square-root rule: beyond what the load takes in the mean, so many standard
// deviations of it. The load has two: chance (as many triggers as come by themselves deviate by their root), and what the forecast
// of this time of day was wrong by of late.

export interface Offered {
  /** In workers at their capacity within the target: triggers a second over what one serves. */
  readonly load: number;
  /** Generations that a worker runs at that capacity. */
  readonly b: number;
  /** Usual error of the load, as a share of it. */
  readonly error: number;
}

/** A window of a minute forgives what chance does in a second: by bench scale, half of the root is left. */
const chance = 0.5;

const deviation = ({ load, b, error }: Offered): number =>
  Math.sqrt((chance * chance * load) / Math.max(1, b) + (error * load) ** 2);

export function workersFor(offered: Offered, beta: number): number {
  const { load } = offered;
  return load <= 0 ? 0 : Math.ceil(load + beta * deviation(offered) - 1e-9);
}
