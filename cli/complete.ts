// complete: `slipstream complete FILE:LINE:COL`: one completion through a running router, as text or as JSON with its cost.
import { create } from "@bufbuild/protobuf";
import { SlipstreamError } from "../lib/errors.ts";
import { GrpcClient } from "../lib/grpc/client.ts";
import {
  CompleteRequestSchema,
  CompletionService,
  Finish,
  Outcome,
  Reason,
  SamplingSchema,
  type ServerMessage,
  Speculation,
  TriggerKind,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { Command } from "./command.ts";
import { milliseconds, oneOf, options } from "./options.ts";
import { placeOf } from "./place.ts";
import { type Reach, reachHelp, reachOf, reachOptions, unreachable } from "./reaching.ts";

const help = `Usage: slipstream complete FILE:LINE:COL [OPTIONS]

Completes the code at a cursor through a running router ("slipstream up"). LINE and COL start at 1; COL counts UTF-16
units and the cursor stands before it. The text goes to stdout, what it cost to stderr.

Options:
  --deadline TIME        wait at most this long (default 10s)
  --speculation MODE     auto, always or off (default auto); the text is the same
  --address HOST:PORT    the router (default 127.0.0.1:7411, or SLIPSTREAM_ADDRESS)
  --json                 one JSON object instead of text
${reachHelp}

Examples:
  slipstream complete src/server.ts:42:17
  slipstream complete app.py:10:5 --json --deadline 500ms
`;

const speculations = { auto: Speculation.AUTO, always: Speculation.ALWAYS, off: Speculation.OFF } as const;
/** Answers in time, with nothing to say. */
const quiet: ReadonlySet<Outcome> = new Set([Outcome.EMPTY, Outcome.GATED]);

export const complete: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    deadline: { type: "string", default: "10s" },
    speculation: { type: "string", default: "auto" },
    address: { type: "string", default: io.env["SLIPSTREAM_ADDRESS"] ?? "127.0.0.1:7411" },
    ...reachOptions(io.env),
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [argument, extra] = positionals;
  if (argument === undefined || extra !== undefined)
    throw new SlipstreamError("invalid_request", "one FILE:LINE:COL is wanted; --help shows examples");
  const deadlineMs = milliseconds("deadline", String(values.deadline), 600_000);
  const speculation = speculations[oneOf("speculation", String(values.speculation), ["auto", "always", "off"])];
  const request = create(CompleteRequestSchema, {
    ...placeOf(argument),
    kind: TriggerKind.INVOKED,
    deadlineMs: Math.round(deadlineMs),
    sampling: create(SamplingSchema, { speculation }),
  });
  const message = await ask(reachOf(String(values.address), values), request, deadlineMs);
  const result = resultOf(message);
  io.out(values.json ? `${JSON.stringify(result.json)}\n` : result.json.text === "" ? "" : `${result.json.text}\n`);
  if (!values.json) io.complain(summary(result));
  const quietEnd = message.message.case === "nothing" && quiet.has(message.message.value.outcome);
  return message.message.case === "completion" || quietEnd ? 0 : 75;
};

/** Longer than the deadline: the router ends triggers by itself and says why. */
const marginMs = 5_000;

async function ask(
  reach: Reach,
  request: ReturnType<typeof create<typeof CompleteRequestSchema>>,
  deadlineMs: number,
): Promise<ServerMessage> {
  const { address, tls, metadata } = reach;
  const client = new GrpcClient({ address, tls });
  try {
    for await (const message of client.serverStream(CompletionService.method.complete, request, {
      deadlineMs: deadlineMs + marginMs,
      metadata,
    })) {
      if (message.message.case === "completion" || message.message.case === "nothing") return message;
    }
    throw new SlipstreamError("protocol", "the router ended the call without an answer");
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    throw error.code === "unavailable" ? unreachable(reach, "router", error) : error;
  } finally {
    client.close();
  }
}

const word = (of: Readonly<Record<string, unknown>>, value: number) =>
  (Object.entries(of).find(([, number]) => number === value)?.[0] ?? "").toLowerCase();
const round = (ms: number) => Math.round(ms * 10) / 10;

function resultOf({ message }: ServerMessage) {
  const value = message.value as Extract<ServerMessage["message"], { case: "completion" | "nothing" }>["value"];
  const completion = message.case === "completion" ? message.value : undefined;
  const { cache, timing } = value;
  return {
    json: {
      text: completion?.items[0]?.insertText ?? "",
      outcome: word(Outcome, value.outcome),
      reason: message.case === "nothing" ? word(Reason, message.value.reason) : "",
      detail: message.case === "nothing" ? message.value.detail : "",
      finish: completion ? word(Finish, completion.finish) : "",
      first_text_ms: round(timing?.firstTextMs ?? 0),
      total_ms: round(timing?.totalMs ?? 0),
      prompt_tokens: cache?.promptTokens ?? 0,
      cached_tokens: cache?.cachedTokens ?? 0,
      recomputed_tokens: cache?.recomputedTokens ?? 0,
      drafted: cache?.drafted ?? 0,
      draft_accepted: cache?.draftAccepted ?? 0,
      model: cache?.model ?? "",
      worker: cache?.worker ?? "",
      trigger: value.triggerId,
    },
  };
}

function summary({ json }: ReturnType<typeof resultOf>): string {
  const why = json.reason === "" ? "" : ` (${[json.reason, json.detail].filter((part) => part !== "").join(": ")})`;
  const cost = json.prompt_tokens > 0 ? ` · prompt ${json.prompt_tokens} tokens, ${json.recomputed_tokens} computed` : "";
  return `${json.outcome}${why} · first text ${json.first_text_ms} ms, total ${json.total_ms} ms${cost}${json.model === "" ? "" : ` · ${json.model}`}\nexplain: npx slipstream explain ${json.trigger}`;
}
