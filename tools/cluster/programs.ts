// programs: the tools of a cluster, each at its place; a sentence for each that is missing.
import { findTool, type ToolName } from "../toolbox.ts";
import type { Programs } from "./control.ts";
import type { ImagePrograms } from "./image.ts";
import type { NodePrograms } from "./node.ts";

export interface ClusterPrograms extends Programs, NodePrograms, ImagePrograms {
  readonly helm: string;
  readonly grpcurl: string;
}

export const clusterToolNames = [
  ...(["kubernetes", "kubernetes-node", "kubectl", "coredns", "helm", "grpcurl"] as const),
  ...(["containerd", "buildah", "node24", "nats-server"] as const),
] satisfies readonly ToolName[];

const missingClusterTools = (): string[] =>
  clusterToolNames.flatMap((name) => {
    const found = findTool(name);
    return found.path === undefined ? [found.missing] : [];
  });

export const clusterToolsHere = (): boolean => missingClusterTools().length === 0;

/** Where a tool is; throws a sentence that says how to bring it. */
export function programOf(name: ToolName): string {
  const found = findTool(name);
  if (found.path === undefined) throw new Error(found.missing);
  return found.path;
}

export function clusterPrograms(): ClusterPrograms {
  const missing = missingClusterTools();
  if (missing.length > 0) throw new Error(missing.join("\n"));
  const at = (name: ToolName) => findTool(name).path as string;
  return {
    ...{ kubernetes: at("kubernetes"), machine: at("kubernetes-node"), kubectl: at("kubectl"), coredns: at("coredns") },
    ...{
      helm: at("helm"),
      grpcurl: at("grpcurl"),
      buildah: at("buildah"),
      node24: at("node24"),
      nats: at("nats-server"),
      containerd: at("containerd"),
    },
    // Of the same packages, where those put them.
    ...{ mmdebstrap: "/usr/bin/mmdebstrap", ctr: "/usr/bin/ctr", plugins: "/usr/lib/cni" },
  };
}
