// drain: `slipstream drain`: takes a router or a worker out of service, and says how far that is until nothing runs there any more.
import { type Clock, systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Command, Io } from "./command.ts";
import { type Door, doorAt, doorOf, type Left } from "./drain-door.ts";
import { interruption, milliseconds, options, refuseWords } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";

const help = `Usage: slipstream drain [OPTIONS]

Takes a router or a worker out of service without a lost key, and waits until nothing runs there any more. A router says
that it is not ready, then asks its sessions to connect anew, elsewhere, and serves each until it has. A worker's routers
compute its sessions' prompts at the workers that come next and move each when it is warm; then it takes nothing new and
ends what runs. The process stays: end it, or delete its pod, when it is drained.

Options:
  --address HOST:PORT    its admin port (default 127.0.0.1:7413, or SLIPSTREAM_ADMIN_ADDRESS; a worker's is 7423)
  --pod [NAMESPACE/]NAME instead: a pod, over the Kubernetes API of your kubeconfig (pods/proxy: get, create, delete)
  --kubeconfig FILE      (default: $KUBECONFIG, ~/.kube/config)
  --context NAME         context of the kubeconfig
  --key-secret NS/NAME   where its administrator's key is, if no --token is given
                         (default slipstream-system/slipstream-operator-admin)
  --leave TIME           a router is not ready for so long before its sessions are told: as long as whoever leads
                         connections to it takes to see that (default 8s, what a Service takes; 0 where nobody does)
  --deadline TIME        wait at most this long (default 2m); it goes on draining after that
  --no-wait              begin, and do not wait
  --undo                 take it back: it serves again, unless its operator or its end wants it gone too
  --json                 each state as a line of JSON
${reachHelp}

Ends with 0 when it is drained (or begun with --no-wait, or taken back), 75 when the deadline is over, 69 when it is not
reached or went away before it was drained, 77 without an administrator's key, 130 on Ctrl-C: it goes on draining then.

Examples:
  slipstream drain --leave 0
  slipstream drain --address 10.1.2.3:7423 --ca ca.crt --token @admin.key
  slipstream drain --pod code/dev-router-5c9d7-x2x4z && kubectl delete pod -n code dev-router-5c9d7-x2x4z
  slipstream drain --pod code/inline-7b-5c9d7-k8s2p --undo
`;

const table = (env: Io["env"]) =>
  ({
    address: { type: "string", default: env["SLIPSTREAM_ADMIN_ADDRESS"] ?? "127.0.0.1:7413" },
    pod: { type: "string" },
    kubeconfig: { type: "string", default: "" },
    context: { type: "string", default: "" },
    "key-secret": { type: "string", default: "slipstream-system/slipstream-operator-admin" },
    leave: { type: "string", default: "8s" },
    deadline: { type: "string", default: "2m" },
    "no-wait": { type: "boolean", default: false },
    undo: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    ...reachOptions(env),
  }) as const;

export const drain: Command = async (args, io) => {
  const { values, positionals } = options(args, table(io.env));
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const leaveMs = values.leave === "0" ? 0 : milliseconds("leave", values.leave, 600_000);
  const deadlineMs = milliseconds("deadline", inMinutes(values.deadline), 86_400_000);
  const door =
    values.pod === undefined
      ? doorAt(reachOf(values.address, values))
      : await doorOf(
          {
            ...{ pod: values.pod, kubeconfig: values.kubeconfig, context: values.context },
            ...{ keySecret: values["key-secret"], token: String(values.token) },
          },
          io,
        );
  const signal = interruption(io);
  const say = (left: Left, ms: number) => io.out(values.json ? `${JSON.stringify(left)}\n` : `${drawn(left, ms)}\n`);
  try {
    if (values.undo) {
      say(await door.ask("DELETE", "/drain"), 0);
      return 0;
    }
    const first = await door.ask("POST", `/drain?leave=${leaveMs}`);
    say(first, 0);
    if (values["no-wait"]) return 0;
    await until(door, first, { say, deadlineMs, signal }, systemClock);
    return 0;
  } finally {
    await door.close();
  }
};

const everyMs = 500;
/** In a row: a busy network is no end. */
const missedMax = 3;

interface Waiting {
  readonly say: (left: Left, ms: number) => void;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Resolves when it is drained; says each change. */
async function until(door: Door, first: Left, { say, deadlineMs, signal }: Waiting, clock: Clock): Promise<void> {
  const began = clock.now();
  let last = first;
  // Twice: between a stream's end and the next one of a client that found nobody else there is a moment without any.
  for (let [missed, drained] = [0, 0]; drained < 2; ) {
    await clock.sleep(everyMs, signal).catch(() => {
      throw new SlipstreamError("cancelled", `interrupted; ${door.name} goes on draining (--undo takes it back)`);
    });
    const next = await door.ask("GET", "/drain").catch((thrown: unknown) => {
      missed += 1;
      if (missed < missedMax) return undefined;
      const why = `${door.name} went away before it was drained (${counts(last)}): ${SlipstreamError.from(thrown).message}`;
      throw new SlipstreamError("unavailable", why, { cause: thrown });
    });
    if (next) missed = 0;
    if (next && JSON.stringify(next) !== JSON.stringify(last)) say(next, clock.now() - began);
    last = next ?? last;
    drained = last.state === "drained" ? drained + 1 : 0;
    if (last.state === "serving") throw new SlipstreamError("conflict", `somebody took it back: ${door.name} serves again`);
    if (last.state !== "drained" && clock.now() - began > deadlineMs)
      throw new SlipstreamError(
        "deadline_exceeded",
        `not drained within ${deadlineMs / 1_000} s: ${counts(last)}; it goes on draining`,
      );
  }
}

/** "2m" besides what other options take. */
const inMinutes = (text: string) => text.replace(/^(\d+)m$/, (_, minutes: string) => `${Number(minutes) * 60}s`);

const figures: Readonly<Record<string, readonly [one: string, more: string]>> = {
  sessions: ["session open", "sessions open"],
  triggers: ["trigger under way", "triggers under way"],
  routers: ["router has sessions to move", "routers have sessions to move"],
  generations: ["generation under way", "generations under way"],
};

function counts(left: Left): string {
  return Object.entries(figures)
    .flatMap(([name, [one, more]]) => {
      const count = left[name];
      return count === undefined ? [] : [`${count} ${count === 1 ? one : more}`];
    })
    .join(", ");
}

const drawn = (left: Left, ms: number) =>
  `${(ms / 1_000).toFixed(1).padStart(6)} s  ${left.process} ${left.state.replaceAll("_", " ")}: ${counts(left)}`;
