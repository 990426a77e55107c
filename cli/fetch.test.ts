import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Authority } from "../test/support/certificates.ts";
import { fetch } from "./fetch.ts";

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-fetch-"));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const content = "weights ".repeat(4_000);
const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;

async function serve(
  take: (request: IncomingMessage, response: ServerResponse) => void,
  server: Server = createServer(),
): Promise<string> {
  servers.push(server.on("request", take));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const run = (...args: string[]) => {
  const said: string[] = [];
  const io = { env: {}, out: () => undefined, complain: (line: string) => void said.push(line), on: () => undefined };
  return fetch([...args, "--to", join(folder, "to")], io);
};
const got = (name = "model.gguf") => readFileSync(join(folder, "to", name), "utf8");

test("a file is fetched, proved, and not fetched again", async () => {
  let asked = 0;
  const at = await serve((_, response) => {
    asked += 1;
    response.end(content);
  });
  expect(await run(`http://${at}/model.gguf`, "--revision", digest)).toBe(0);
  expect(await run(`http://${at}/model.gguf`, "--revision", digest)).toBe(0);
  expect(got()).toBe(content);
  expect(asked).toBe(1);
});

test("what broke off is taken up where it was", async () => {
  const ranges: (string | undefined)[] = [];
  const at = await serve((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = content.slice(from);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": rest.length, connection: "close" });
    response.end(from > 0 ? rest : rest.slice(0, 9_000));
  });
  expect(await run(`http://${at}/model.gguf`, "--revision", digest)).toBe(0);
  expect(got()).toBe(content);
  expect(ranges.slice(1).every((range) => /bytes=[1-9]/.test(range ?? ""))).toBe(true);
});

test("what differs from its digest is thrown away, and the command ends as the operator expects", async () => {
  const at = await serve((_, response) => response.end("something else"));
  await expect(run(`http://${at}/model.gguf`, "--revision", digest)).rejects.toMatchObject({
    row: { exit: 65 },
    message: expect.stringContaining("thrown away"),
  });
  expect(existsSync(join(folder, "to", "model.gguf"))).toBe(false);
});

test("a repository of a hub is fetched from its mirror, file by file, with a token that no other host gets", async () => {
  const elsewhere: (string | undefined)[] = [];
  const store = await serve((request, response) => {
    elsewhere.push(request.headers.authorization);
    response.end(content);
  });
  const commit = "c".repeat(40);
  const asked: string[] = [];
  const at = await serve((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url}`);
    if (request.url?.startsWith("/api/"))
      response.end(
        JSON.stringify({
          siblings: [{ rfilename: "config.json" }, { rfilename: "deep/model.bin", lfs: { sha256: digest.slice(7) } }],
        }),
      );
    else if (request.url?.endsWith("config.json")) response.end("{}");
    else response.writeHead(302, { location: `http://${store}/blob` }).end();
  });
  writeFileSync(join(folder, "token"), "secret\n");
  expect(
    await run("hf://acme/coder", "--revision", commit, "--mirror", `http://${at}`, "--token-file", join(folder, "token")),
  ).toBe(0);
  expect([got("config.json"), got("deep/model.bin")]).toEqual(["{}", content]);
  expect(asked[0]).toBe(`Bearer secret /api/models/acme/coder/revision/${commit}?blobs=true`);
  expect(elsewhere).toEqual([undefined]);
});

test("a file outside of its folder is refused", async () => {
  const at = await serve((_, response) => response.end(JSON.stringify({ siblings: [{ rfilename: "../../etc/passwd" }] })));
  await expect(run("hf://acme/coder", "--revision", "c".repeat(40), "--mirror", `http://${at}`)).rejects.toThrow(
    /outside of its folder/,
  );
});

test("an authority of one's own is believed, through a proxy too", async () => {
  const authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const at = await serve((_, response) => response.end(content), createSecureServer({ cert, key }));
  writeFileSync(join(folder, "ca.crt"), authority.cert);
  const through: string[] = [];
  const proxy = createServer();
  proxy.on("connect", (request, near) => {
    through.push(request.url ?? "");
    const far = connect(Number(at.split(":")[1]), "127.0.0.1", () => near.write("HTTP/1.1 200 OK\r\n\r\n"));
    far.pipe(near).pipe(far);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  const proxied = await serve(() => undefined, proxy);
  const port = at.split(":")[1];
  expect(
    await run(
      `https://localhost:${port}/model.gguf`,
      "--revision",
      digest,
      "--ca",
      join(folder, "ca.crt"),
      "--proxy",
      `http://${proxied}`,
    ),
  ).toBe(0);
  expect(through).toEqual([`localhost:${port}`]);
  await expect(run(`https://localhost:${port}/other`, "--revision", `sha256:${"0".repeat(64)}`)).rejects.toThrow(
    /--ca names authorities/,
  );
});

test.each([
  ["not there", 404, "not_found", /is not there/],
  ["not allowed", 403, "permission_denied", /token is missing/],
])("a source that says %s is told once, without another try", async (_, status, code, says) => {
  let asked = 0;
  const at = await serve((__, response) => {
    asked += 1;
    response.writeHead(status).end();
  });
  await expect(run(`http://${at}/m`, "--revision", digest)).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
  expect(asked).toBe(1);
});

test.each([
  [["--revision", digest], /one source is wanted/],
  [["http://x/m", "--revision", "main"], /--revision:/],
  [["http://x/m", "--revision", digest, "--checksum", "md5:1"], /--checksum:/],
])("%s is refused by name", async (args, says) => {
  await expect(run(...args)).rejects.toThrow(says);
});
