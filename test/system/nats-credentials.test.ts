// Every way in which a process may say to a real nats-server who it is: each lets in who is right, keeps out who is not, and takes
// a file that was put right without a restart.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { afterAll, expect, test } from "vitest";
import { NatsBus, type NatsOptions } from "../../lib/bus/nats.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { slipstream, start } from "../support/command.ts";
import { natsServer, startNats } from "../support/nats.ts";
import { freePort } from "../support/ports.ts";

const here = test.skipIf(natsServer.path === undefined);
const folder = mkdtempSync(join(tmpdir(), "slipstream-nats-who-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const words = (data: Uint8Array) => new TextDecoder().decode(data);

type Key = ReturnType<typeof nkeys.createUser>;
const secret = () => randomBytes(16).toString("hex");
const seed = (key: Key) => words(key.getSeed());

/** A claim about `subject`, signed as nats-server checks it. */
function claim(type: string, subject: Key, signer: Key, nats: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const about = { jti: secret(), iat: Math.floor(Date.now() / 1_000), iss: signer.getPublicKey(), sub: subject.getPublicKey() };
  const head = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part({ ...about, name: type, nats: { ...nats, type, version: 2 } })}`;
  return `${head}.${Buffer.from(signer.sign(new TextEncoder().encode(head))).toString("base64url")}`;
}

/** An operator with an account for its users and one for itself. */
function operated() {
  const [operator, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const all = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const store = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const preload = [account, system].map(
    (each) =>
      `${each.getPublicKey()}: ${claim("account", each, operator, { limits: each === account ? { ...all, ...store } : all })}`,
  );
  const config = `operator: ${claim("operator", operator, operator, {})}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: { ${preload.join(", ")} }`;
  const creds = (signer: Key) => {
    const user = nkeys.createUser();
    const jwt = claim("user", user, signer, { subs: -1, data: -1, payload: -1 });
    return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed(user)}\n------END USER NKEY SEED------\n`;
  };
  return { config, right: creds(account), wrong: creds(nkeys.createAccount()) };
}

interface Way {
  readonly name: string;
  readonly server: string;
  readonly right: Partial<NatsOptions>;
  readonly wrong: Partial<NatsOptions>;
  /** A file that is wrong at first; absent: it is no file that says who. */
  readonly mended?: { readonly as: Partial<NatsOptions>; readonly mend: () => void };
}

const [token, password, user] = [secret(), secret(), nkeys.createUser()];
const jwt = operated();
const ways: readonly Way[] = [
  {
    name: "a token",
    server: `authorization { token: "${token}" }`,
    right: { natsToken: token },
    wrong: { natsToken: "another" },
  },
  {
    name: "a user and a password",
    server: `authorization { users: [{ user: slip, password: "${password}" }] }`,
    right: { natsUser: "slip", natsPassword: password },
    wrong: { natsUser: "slip", natsPassword: token },
  },
  {
    name: "an nkey",
    server: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
    right: { natsNkey: file("nkey", `${seed(user)}\n`) },
    wrong: { natsNkey: file("other.nkey", seed(nkeys.createUser())) },
    mended: { as: { natsNkey: file("late.nkey", "not yet") }, mend: () => file("late.nkey", seed(user)) },
  },
  {
    name: "a file of credentials",
    server: jwt.config,
    right: { natsCredentials: file("creds", jwt.right) },
    wrong: { natsCredentials: file("other.creds", jwt.wrong) },
    mended: { as: { natsCredentials: join(folder, "late.creds") }, mend: () => file("late.creds", jwt.right) },
  },
];

for (const { name, server, right, wrong, mended } of ways)
  here(`${name} lets in who is right alone`, async () => {
    await using nats = await startNats(0, undefined, ["--config", file(`${name.replaceAll(" ", "-")}.conf`, server)]);
    const as = (given: Partial<NatsOptions>) =>
      new NatsBus(
        { servers: [nats.address], name: "test", connectTimeoutMs: 2_000, ...given },
        { clock: systemClock, log: silentLog },
      );
    const late = mended ? [as(mended.as)] : [];
    const [one, two, stranger, nobody] = [as(right), as(right), as(wrong), as({})];
    await expect.poll(() => one.connected && two.connected, { timeout: 20_000 }).toBe(true);
    const heard: string[] = [];
    using _ = two.listen("a", ({ data }) => heard.push(words(data)));
    await two.flush();
    one.publish("a", new TextEncoder().encode("said"));
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(["said"]);
    expect([stranger, nobody, ...late].map((bus) => bus.connected)).not.toContain(true);
    mended?.mend();
    for (const bus of late) await expect.poll(() => bus.connected, { timeout: 20_000 }).toBe(true);
    expect([stranger, nobody].map((bus) => bus.connected)).toEqual([false, false]);
    for (const bus of [one, two, stranger, nobody, ...late]) await bus.close();
  });

here(
  "a router that NATS does not know serves on and says that its bus is away; with two ways to say who it is it does not start",
  async () => {
    await using nats = await startNats(0, undefined, ["--auth", token]);
    const [grpc, http, admin] = await Promise.all([freePort(), freePort(), freePort()]);
    const env = {
      SLIPSTREAM_ROUTER_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
      SLIPSTREAM_ROUTER_HTTP_ADDRESS: `127.0.0.1:${http}`,
      SLIPSTREAM_ROUTER_ADMIN_ADDRESS: `127.0.0.1:${admin}`,
      SLIPSTREAM_NATS_SERVERS: nats.address,
    };
    const router = (more: object) => start(process.execPath, ["bin/slipstream.js", "router"], /"listening"/, { ...env, ...more });
    const bus = async () => JSON.parse((await slipstream(["status", "--address", `127.0.0.1:${admin}`, "--json"])).out).bus;
    const stranger = await router({ SLIPSTREAM_NATS_TOKEN: "another" });
    expect(await bus()).toMatchObject({ connected: false });
    await stranger.end("SIGTERM");
    await using _known = await router({ SLIPSTREAM_NATS_TOKEN: token });
    await expect.poll(async () => (await bus()).connected, { timeout: 20_000 }).toBe(true);
    const both = { ...env, SLIPSTREAM_NATS_TOKEN: token, SLIPSTREAM_NATS_USER: "slip" };
    const { code, err } = await slipstream(["router"], { env: both });
    expect(code).not.toBe(0);
    expect(err).toMatch(/SLIPSTREAM_NATS_TOKEN.*SLIPSTREAM_NATS_USER/s);
  },
);
