// dynamo: after NVIDIA Dynamo's planner: every three minutes a floor from predicted load over what an engine was profiled to serve, every
// five seconds one more when the target is missed, one less when the load on one fewer stays within 80 % of it. While workers start it
// only observes. The prediction is the last load, or that times what the same time of the day before did next.
import { secondsPerDay } from "../days.ts";
import type { Policy } from "../run.ts";

export interface DynamoOptions {
  /** Triggers a second that an engine is taken to serve within the target. */
  readonly engineRps: number;
  readonly predictor: "constant" | "seasonal";
  readonly targetMs: number;
}

const [slowS, fastS, meanS, downShare] = [180, 5, 60, 0.8];
const minutesPerDay = secondsPerDay / 60;

export function dynamo({ engineRps, predictor, targetMs }: DynamoOptions): Policy {
  const yesterday = new Float64Array(minutesPerDay);
  const today = new Float64Array(minutesPerDay);
  let [sum, count, rps, p95Ms, floor] = [0, 0, 0, 0, 1];
  return (heard) => {
    const { nowS, arrivals, fleet } = heard;
    sum += arrivals;
    count += 1;
    p95Ms += (heard.p95Ms - p95Ms) / 10;
    if (count === meanS) {
      rps = sum / count;
      [sum, count] = [0, 0];
      today[Math.floor((nowS % secondsPerDay) / 60)] = rps;
      if ((nowS + 1) % secondsPerDay === 0) yesterday.set(today);
    }
    if (fleet.starting.length > 0) return fleet.wanted;
    if (nowS % slowS === 0) {
      floor = Math.max(1, Math.ceil((rps * growth(nowS)) / engineRps));
      if (floor > fleet.wanted) return floor;
    }
    if (nowS % fastS !== 0) return fleet.wanted;
    if (p95Ms > targetMs) return fleet.wanted + 1;
    const fewer = fleet.wanted - 1;
    return fewer >= floor && rps / fewer <= downShare * engineRps ? fewer : fleet.wanted;
  };

  function growth(nowS: number): number {
    const minute = Math.floor((nowS % secondsPerDay) / 60);
    const before = yesterday[minute] as number;
    const after = yesterday[Math.min(minutesPerDay - 1, minute + 7)] as number;
    return predictor === "seasonal" && before > 0 ? Math.min(2, Math.max(0.8, after / before)) : 1;
  }
}
