// address: "host:port" taken apart, IPv6 hosts in brackets.

export function parseAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

/** Does the address stay on this machine? A name but "localhost" may lead anywhere. */
export function isLoopback(text: string): boolean {
  const { host } = parseAddress(text);
  return host.toLowerCase() === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The same of a Host header, whose port may be left out. */
export function isLoopbackHost(header: string | undefined): boolean {
  return header !== undefined && isLoopback(/:\d+$/.test(header) ? header : `${header}:0`);
}
