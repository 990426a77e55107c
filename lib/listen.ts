// listen: a port that cannot be had becomes one sentence, for every server alike.
import { SlipstreamError } from "./errors.ts";

export async function listening<T>(what: string, address: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const inUse = message.includes("EADDRINUSE");
    throw new SlipstreamError(
      "unavailable",
      inUse
        ? `${address} is in use: another program has the ${what} port. End it, or choose another address.`
        : `cannot listen on ${address} for ${what}: ${message}`,
      { cause: thrown },
    );
  }
}
