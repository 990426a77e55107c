// address: "host:port" taken apart, IPv6 hosts in brackets.

export function parseAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/** Does the address stay on this machine? */
export function isLoopback(text: string): boolean {
  return loopback.has(parseAddress(text).host);
}
