// names: host names in, the addresses that DNS has for them now out. A name with a port is looked up as A and AAAA records (a headless
// Service has one a pod), one that begins with "_" as SRV, whose records bring their ports.
import { SlipstreamError } from "../../lib/errors.ts";

/** As node:dns/promises answers. */
export interface Resolver {
  resolve4(host: string): Promise<string[]>;
  resolve6(host: string): Promise<string[]>;
  resolveSrv(name: string): Promise<{ readonly name: string; readonly port: number }[]>;
}

/** There is no such name, or it has no such records: an answer, not a failure. */
const none: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA"]);

/** "host:port" each, sorted, so that two answers can be compared. Throws `unavailable` where DNS does not answer. */
export async function addressesOf(name: string, resolver: Resolver): Promise<string[]> {
  try {
    return [...new Set(name.startsWith("_") ? await ofService(name, resolver) : await ofHost(name, resolver))].sort();
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SlipstreamError("unavailable", `${name}: ${why}`, { cause: thrown });
  }
}

async function ofHost(name: string, resolver: Resolver): Promise<string[]> {
  const at = name.lastIndexOf(":");
  const [host, port] = [name.slice(0, at), name.slice(at + 1)];
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const failure = [four, six].find(
    (answer) => answer.status === "rejected" && !none.has((answer.reason as NodeJS.ErrnoException).code),
  );
  const found = [
    ...(four.status === "fulfilled" ? four.value.map((ip) => `${ip}:${port}`) : []),
    ...(six.status === "fulfilled" ? six.value.map((ip) => `[${ip}]:${port}`) : []),
  ];
  // One family's records are enough; with neither, a failure is not the same as no workers.
  if (found.length === 0 && failure?.status === "rejected") throw failure.reason;
  return found;
}

async function ofService(name: string, resolver: Resolver): Promise<string[]> {
  try {
    return (await resolver.resolveSrv(name)).map((record) => `${record.name.replace(/\.$/, "")}:${record.port}`);
  } catch (thrown) {
    if (none.has((thrown as NodeJS.ErrnoException).code)) return [];
    throw thrown;
  }
}
