// fetch: `slipstream fetch`: a model's files from where they are to a folder, once: what is there and proved is not fetched again,
// what broke off is taken up where it was, what differs from its digest is thrown away. The operator's Jobs and init containers
// run it.
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Command } from "./command.ts";
import { fetchModel } from "./fetch-model.ts";
import { interruption, options } from "./options.ts";

const help = `Usage: slipstream fetch SOURCE --to FOLDER --revision DIGEST [OPTIONS]

Brings a model's files into a folder. SOURCE is https://host/file, http://host/file, file:///path, or hf://owner/name,
a repository of a model hub.

Options:
  --to FOLDER          where the files go
  --revision DIGEST    "sha256:…" of what is fetched, or the commit of the hub's repository
  --checksum DIGEST    "sha256:…" of what is fetched, where the revision is a commit: of one file, or of the sorted
                       list of its files' digests and names
  --mirror URL         stands in for the hub's own address
  --proxy URL          HTTP proxy
  --ca FILE            authorities (PEM) that the source's certificate may be from, besides those of the system
  --token-file FILE    bearer token for the source

It ends with 65 when what came is not what was asked for, and with 69 when the source cannot be reached.

Example:
  slipstream fetch https://models.example.com/coder.gguf --to ./models --revision sha256:…
`;

export const fetch: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    ...{ to: { type: "string" }, revision: { type: "string" }, checksum: { type: "string" }, mirror: { type: "string" } },
    ...{ proxy: { type: "string" }, ca: { type: "string" }, "token-file": { type: "string" } },
  } as const);
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [source, extra] = positionals;
  const bad = (field: string, message: string) => new SlipstreamError("invalid_request", message, { field });
  if (source === undefined || extra !== undefined) throw bad("source", "one source is wanted; --help shows examples");
  const { to, revision, checksum, mirror, proxy, ca } = values;
  if (to === undefined) throw bad("to", "--to FOLDER is wanted");
  if (!/^(sha256:[0-9a-f]{64}|[0-9a-f]{40})$/.test(revision ?? ""))
    throw bad("revision", '--revision: "sha256:" with 64 hexadecimal digits, or a commit of 40, is wanted');
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw bad("checksum", '--checksum: "sha256:" with 64 hexadecimal digits is wanted');
  const signal = interruption(io);
  let told = Number.NEGATIVE_INFINITY;
  const files = await fetchModel(
    { source, to, revision: revision as string, checksum, mirror, proxy, ca, tokenFile: values["token-file"] },
    {
      signal,
      clock: systemClock,
      progress: (name, bytes, total) => {
        if (systemClock.now() - told < 2_000) return;
        told = systemClock.now();
        io.complain(`${name}: ${Math.round(bytes / 2 ** 20)}${total ? ` of ${Math.round(total / 2 ** 20)}` : ""} MiB`);
      },
    },
  );
  io.out(`${files.length} ${files.length === 1 ? "file is" : "files are"} in ${to}\n`);
  return 0;
};
