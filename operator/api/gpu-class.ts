// gpu-class: the GPUClass resource: a kind of accelerator by name, so that pools say "l40s" and not labels, taints and resource
// names. Cluster-wide, written by whoever owns the nodes.
import { z } from "zod";
import { decimal, labels, name, quantity, toleration, whole } from "./fields.ts";
import { ruled } from "./rules.ts";

const dra = z.strictObject({
  deviceClass: name().describe("DeviceClass of the accelerator's driver."),
  cel: z.array(z.string().min(1).max(512)).max(8).default([]).describe("CEL selectors over a device's attributes; all must hold."),
});

export const gpuClassSpec = ruled(
  z.strictObject({
    devicePlugin: z
      .string()
      .max(253)
      .regex(/^[a-z0-9.-]+\/[A-Za-z0-9._-]+$/, 'is not a resource name like "nvidia.com/gpu"')
      .optional()
      .describe(
        'Extended resource that a pod asks for, also of a MIG slice or a time-shared GPU: "nvidia.com/gpu", "nvidia.com/mig-2g.20gb".',
      ),
    dra: dra.optional().describe("Dynamic resource allocation: which devices a claim of this class may get."),
    nodeSelector: labels("Labels of nodes that have it.").default({}),
    tolerations: z.array(toleration).max(16).default([]).describe("Taints of those nodes that its pods tolerate."),
    runtimeClassName: name().optional().describe("RuntimeClass that gives containers access to it; absent: the node's own."),
    memory: quantity().describe("Memory of one device."),
    hourlyCost: decimal().optional().describe("What one device costs an hour, in any one currency; for reports."),
    total: whole(0, 100_000)
      .optional()
      .describe(
        "Devices there are, where no node is ever added: pools share them by tier. Absent: a worker that finds none waits for a node.",
      ),
  }),
  [
    {
      cel: "has(self.devicePlugin) || has(self.dra)",
      message: "devicePlugin or dra must say how a pod gets the device",
      holds: (self) => self.devicePlugin !== undefined || self.dra !== undefined,
    },
  ],
);

export type GpuClassSpec = z.infer<typeof gpuClassSpec>;
