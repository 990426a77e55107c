// without-addresses: what a check says in, the same without the names and addresses of machines out, for a report that is sent to others.
// Pure.

/** Of four bytes, of sixteen in brackets or without, perhaps with a port. */
const address =
  /\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\[[0-9a-f:.]{2,}(%[^\]\s]+)?\](:\d+)?|(?<![\w:])([0-9a-f]{0,4}:){2,8}[0-9a-f.]*(:\d+)?/gi;
const urls = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'()<>,;]+/gi;

/** `url`: of the engine; `machine`: this one's name. */
export function withoutAddresses(text: string, url: string, machine: string): string {
  const { host = "", hostname = "" } = URL.canParse(url) ? new URL(url) : {};
  const known = [url, host, hostname, machine].filter((name) => name !== "").sort((a, b) => b.length - a.length);
  const engine = known.reduce((said, name) => said.replaceAll(name, "ADDRESS"), text);
  return engine.replace(urls, "ADDRESS").replace(address, "ADDRESS");
}
