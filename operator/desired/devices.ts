// devices: how a container gets accelerators of a class: as an extended resource, or by a claim that a template makes for each pod.
import type { GpuClassSpec } from "../api/gpu-class.ts";
import type { Json, KubeObject } from "../objects.ts";
import { given, own } from "./parts.ts";

/** As an extended resource; nothing where the class has none. */
export const asResource = (gpuClass: GpuClassSpec | undefined, count: number): Record<string, string> =>
  gpuClass?.devicePlugin === undefined ? {} : { [gpuClass.devicePlugin]: String(count) };

export function claimTemplate(
  owner: KubeObject,
  name: string,
  labels: Record<string, string>,
  gpuClass: GpuClassSpec | undefined,
  count: number,
): KubeObject {
  const { deviceClass = "", cel = [] } = gpuClass?.dra ?? {};
  return {
    ...own("ResourceClaimTemplate", owner, name, { labels }),
    spec: {
      spec: {
        devices: {
          requests: [
            {
              name: "gpu",
              exactly: given({
                deviceClassName: deviceClass,
                allocationMode: "ExactCount",
                count,
                selectors: cel.map((expression): Json => ({ cel: { expression } })),
              }),
            },
          ],
        },
      },
    },
  };
}
