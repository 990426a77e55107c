// key: `slipstream key create`: a new API key, shown once, and the line by which routers know it. The file holds hashes alone.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { SlipstreamError } from "../lib/errors.ts";
import { createKey } from "../lib/keys/key.ts";
import { adminTenant, KeyRing, keyLine, tenantProblem, untilProblem } from "../lib/keys/key-ring.ts";
import { systemRandom } from "../lib/random.ts";
import type { Command } from "./command.ts";
import { options } from "./options.ts";

const help = `Usage: slipstream key create --tenant NAME [OPTIONS]
       slipstream key create --admin [OPTIONS]

Makes an API key. The key is shown this once; what is kept is its line, with a hash, for the file that
SLIPSTREAM_ROUTER_KEYS_FILE names. To change a tenant's key, append a second one, give it out, and take the
first one's line away when nobody uses it: running routers read the file anew.

Options:
  --tenant NAME   whose key it is: letters, digits, "_" and "-"
  --admin         a key for the admin ports (/metrics, /status) instead
  --until DATE    the key ends then: 2027-01-31, or 2027-01-31T12:00Z (default: it does not)
  --append FILE   append the line to FILE (made if there is none); then the key alone goes to stdout
  --json          {"key", "id", "tenant", "line"} as one JSON object

Examples:
  slipstream key create --tenant acme
  slipstream key create --tenant acme --until 2027-01-31 --append keys.txt > acme.key
`;

export const key: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    tenant: { type: "string" },
    admin: { type: "boolean", default: false },
    until: { type: "string" },
    append: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [verb, extra] = positionals;
  if (verb !== "create" || extra !== undefined) throw bad("create", 'what is wanted is "key create"; --help shows examples');
  if (values.admin === (values.tenant !== undefined)) throw bad("tenant", "--tenant NAME or --admin is wanted, one of them");
  const tenant = values.admin ? adminTenant : String(values.tenant);
  // "@admin" as a tenant's name would hand out more than was asked for.
  const wrong = !values.admin && tenant.startsWith("@") ? tenantProblem("") : tenantProblem(tenant);
  if (wrong) throw bad("tenant", `--tenant: ${wrong}`);
  const until = values.until;
  const late = until === undefined ? undefined : untilProblem(until);
  if (late) throw bad("until", `--until: ${late}`);
  const made = createKey(systemRandom());
  const line = keyLine(tenant, made, until);
  if (values.append !== undefined) append(values.append, line);
  if (values.json) io.out(`${JSON.stringify({ key: made.text, id: made.id, tenant, line })}\n`);
  else if (values.append !== undefined) io.out(`${made.text}\n`);
  else {
    io.out(`${made.text}\n${line}\n`);
    io.complain("The first line is the key: keep it, it is stored nowhere. The second is for the routers' key file.");
  }
  return 0;
};

const bad = (field: string, message: string) => new SlipstreamError("invalid_request", message, { field });

/** Only to what is a key file already, or to none. */
function append(path: string, line: string): void {
  try {
    const before = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (before.trim() !== "") KeyRing.parse(before, path);
    appendFileSync(path, `${before === "" || before.endsWith("\n") ? "" : "\n"}${line}\n`, { mode: 0o600 });
  } catch (thrown) {
    throw bad("append", thrown instanceof Error ? thrown.message : String(thrown));
  }
}
