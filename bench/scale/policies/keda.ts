// keda: KEDA's way: an external metric (triggers a second, over a minute, asked every 30 s) handed to an HPA as a value per replica, and,
// where it helps, its cron scaler for office hours: so many replicas at least from half past eight to six.
import { secondsPerDay } from "../days.ts";
import type { Policy } from "../run.ts";
import { HpaActuator, Lagged } from "./hpa.ts";

export interface KedaOptions {
  /** Triggers a second that a replica shall have. */
  readonly targetRps: number;
  /** Replicas at least in office hours, by the cron scaler; 0: it is not used. */
  readonly officeReplicas: number;
}

const [pollingS, syncS, lagS, meanS, stabilizationS] = [30, 15, 15, 60, 300];
const [officeFromS, officeToS] = [8.5 * 3_600, 18 * 3_600];

export function keda({ targetRps, officeReplicas }: KedaOptions): Policy {
  const metric = new Lagged(meanS, lagS);
  const actuator = new HpaActuator(stabilizationS);
  let value = 0;
  return ({ nowS, arrivals, fleet }) => {
    metric.add(arrivals);
    if (nowS % pollingS === 0) value = metric.value();
    if (nowS % syncS !== 0) return fleet.wanted;
    const ofDay = nowS % secondsPerDay;
    const isOffice = ofDay >= officeFromS && ofDay < officeToS && Math.floor(nowS / secondsPerDay) % 7 < 5;
    const ratio = value / targetRps / Math.max(1, fleet.wanted);
    const byLoad = Math.abs(ratio - 1) <= 0.1 ? fleet.wanted : Math.ceil(value / targetRps);
    return actuator.act(nowS, fleet.wanted, Math.max(byLoad, isOffice ? officeReplicas : 0));
  };
}
