// plane-operator: this project's operator, run in the test's process on a real control plane by the rights of its own service account.
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { Operator } from "../../operator/wire.ts";
import type { ControlPlane } from "./control-plane.ts";
import { send } from "./install.ts";

const tokens = "/api/v1/namespaces/slipstream-system/serviceaccounts/slipstream-operator/token";

export async function operatorOn(plane: ControlPlane, kube: Kube): Promise<Operator> {
  const asked = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3_600 } };
  const { body } = await send(kube, "POST", asked, "", tokens);
  const operator = new Operator(
    {
      setting: { image: "slipstream:test", namespace: "slipstream-system", natsServers: [], bus: false },
      ...{ namespaces: [], name: "operator-0", atOnce: 4 },
      lease: { namespace: "slipstream-system", name: "slipstream-operator", leaseMs: 30_000, renewMs: 20_000, retryMs: 1_000 },
    },
    { target: plane.target(body.status.token), clock: systemClock, random: systemRandom(), log: silentLog },
  );
  void operator.run().catch(() => undefined);
  return operator;
}
