// A client that is not ours against a router with TLS and keys: what it is let do, and what it is told when it is not.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningRouter } from "../../router/main.ts";
import { run } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { Authority } from "../support/certificates.ts";
import { folderOf, keyFile } from "../support/keys.ts";
import { files, TestProcess } from "../support/secured.ts";

const grpcurl = findTool("grpcurl");

describe.skipIf(grpcurl.path === undefined)("grpcurl over TLS", () => {
  const folder = folderOf("grpcurl");
  const path = (name: string) => join(folder, name);
  const { path: keysFile, keys } = keyFile("acme");
  const process = new TestProcess("router");
  const tls: Record<string, string> = {};
  let open: RunningRouter;
  let mutual: RunningRouter;

  beforeAll(async () => {
    const [authority, stranger] = await Promise.all([Authority.create(), Authority.create("Stranger")]);
    for (const [name, text] of Object.entries(files(await authority.issue(), authority.cert))) writeFileSync(path(name), text);
    writeFileSync(path("stranger.crt"), stranger.cert);
    Object.assign(tls, { SLIPSTREAM_ROUTER_TLS_CERT: path("tls.crt"), SLIPSTREAM_ROUTER_TLS_KEY: path("tls.key") });
    const { port } = await process.worker({});
    tls["SLIPSTREAM_ROUTER_WORKERS"] = `127.0.0.1:${port}`;
    open = await process.router({ ...tls, SLIPSTREAM_ROUTER_KEYS_FILE: keysFile });
    mutual = await process.router({ ...tls, SLIPSTREAM_ROUTER_TLS_CLIENT_CA: path("ca.crt") });
    await Promise.all([open.ready, mutual.ready]);
  });
  afterAll(() => process.end());

  const complete = ({ ports }: RunningRouter, ...words: string[]) =>
    run([
      ...[
        grpcurl.path as string,
        ...words,
        "-d",
        JSON.stringify({ prefix: "const a = ", kind: "TRIGGER_KIND_INVOKED", deadlineMs: 20_000 }),
      ],
      ...[`localhost:${ports.grpc}`, "slipstream.v1.CompletionService/Complete"],
    ]);
  const ca = () => ["-cacert", path("ca.crt")];
  const key = ["-H", `authorization: Bearer ${keys.acme.text}`];

  test("completes with a key, and with a certificate", async () => {
    const byKey = await complete(open, ...ca(), ...key);
    expect(byKey.code, byKey.output).toBe(0);
    expect(byKey.stdout).toContain("OUTCOME_GENERATED");
    const byCertificate = await complete(mutual, ...ca(), "-cert", path("tls.crt"), "-key", path("tls.key"));
    expect(byCertificate.code, byCertificate.output).toBe(0);
  });

  test.each([
    ["without a key", () => complete(open, ...ca()), /Unauthenticated[\s\S]*an API key is required/],
    ["with a wrong key", () => complete(open, ...ca(), "-H", "x-api-key: sesame"), /Unauthenticated[\s\S]*unknown API key/],
    [
      "by another authority",
      () => complete(open, "-cacert", path("stranger.crt"), ...key),
      /certificate signed by unknown authority/,
    ],
    [
      "under another name",
      () => complete(open, ...ca(), "-servername", "elsewhere.example", ...key),
      /certificate is (valid|not valid) for/,
    ],
    [
      "without a certificate where one is asked for",
      () => complete(mutual, "-connect-timeout", "3", ...ca()),
      /certificate required|bad certificate|Failed to dial/,
    ],
    ["in the clear", () => complete(open, "-plaintext", "-connect-timeout", "3", ...key), /Failed to dial|deadline|connection/],
  ])("is refused %s", async (_, act, says) => {
    const { code, output } = await act();
    expect(code).not.toBe(0);
    expect(output).toMatch(says);
  });
});
