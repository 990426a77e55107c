// pages: the console's page as the build left it, read once and given out whole or as its gzip, on the admin port of a router or an
// operator. Nothing comes from another place: the page may load from, and speak to, the port that it came from alone.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

interface Page {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly tag: string;
}
/** By path; empty: the page was not built. */
export type Pages = ReadonlyMap<string, Page>;

const types = {
  "index.html": "text/html; charset=utf-8",
  "app.js": "text/javascript; charset=utf-8",
  "app.css": "text/css; charset=utf-8",
} as const;
const index = "/console/";

/** `process`: whose port it is, which the page reads to know what to show. */
export function readPages(folder: string, process: "router" | "operator"): Pages {
  try {
    return new Map(
      Object.entries(types).map(([name, type]) => {
        const built = readFileSync(join(folder, name));
        const own =
          name === "index.html" ? Buffer.from(String(built).replace('content="router"', `content="${process}"`)) : undefined;
        const plain = own ?? built;
        const gzip = own ? gzipSync(own) : readFileSync(join(folder, `${name}.gz`));
        const tag = `"${createHash("sha256").update(plain).digest("hex").slice(0, 16)}"`;
        return [name === "index.html" ? index : `${index}${name}`, { type, plain, gzip, tag }];
      }),
    );
  } catch {
    return new Map();
  }
}

/** Editors and plots set styles of their own elements; scripts are files alone. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Returns the paths that nobody is asked a key for: they say nothing of the process. */
export function addPages(app: FastifyInstance, pages: Pages): readonly string[] {
  app.get("/", (_request, reply) => reply.redirect(index));
  app.get("/console", (_request, reply) => reply.redirect(index));
  for (const [path, page] of pages) app.get(path, (request, reply) => give(page, request, reply));
  if (pages.size === 0)
    app.get(index, (_request, reply) =>
      reply.code(404).type("text/plain; charset=utf-8").send("The console's page was not built here: npm run build\n"),
    );
  return ["/", "/console", index, ...pages.keys()];
}

function give({ type, plain, gzip, tag }: Page, request: FastifyRequest, reply: FastifyReply) {
  void reply.headers({
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    vary: "accept-encoding",
    etag: tag,
  });
  if (request.headers["if-none-match"] === tag) return reply.code(304).send();
  const zipped = /\bgzip\b/.test([request.headers["accept-encoding"]].flat().join(","));
  return reply
    .type(type)
    .headers(zipped ? { "content-encoding": "gzip" } : {})
    .send(zipped ? gzip : plain);
}
