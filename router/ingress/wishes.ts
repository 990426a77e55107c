// wishes: the fields that a session's Trigger, a stateless CompleteRequest and a chat GenerateRequest share, checked once and
// made into a Trigger of the right lane with its deadline.
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import {
  type Indent as IndentMessage,
  type Sampling as SamplingMessage,
  Shape as ShapeMessage,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Indent, Kind, Lane, Shape, Trigger } from "../completion.ts";
import { AppendedText } from "../cursor-text.ts";
import type { Admission, Ask } from "./admission.ts";
import type { Arrivals, Given } from "./arrival.ts";
import { shortText, within } from "./check.ts";
import { limits } from "./limits.ts";
import { sampling } from "./sampling.ts";

export interface DeadlineDefaults {
  readonly autoMs: number;
  readonly invokedMs: number;
  readonly chatMs: number;
}

/** What the wire says, whichever message it came in. */
interface Wish {
  readonly kind: TriggerKind;
  readonly shape: ShapeMessage;
  readonly deadlineMs: number;
  readonly model: string;
  readonly stream: boolean;
  readonly sequence?: bigint;
  readonly n?: number | undefined;
  readonly indent?: IndentMessage | undefined;
  readonly clientAcceptProbability?: number | undefined;
  readonly sampling?: SamplingMessage | undefined;
}

/** What is known of the place of the cursor. */
type Place = Pick<
  Trigger,
  | "id"
  | "tenant"
  | "session"
  | "document"
  | "path"
  | "language"
  | "text"
  | "snippets"
  | "neighbours"
  | "previousKeyMs"
  | "origin"
  | "selected"
  | "stateless"
  | "roams"
> & { readonly excluded: boolean };

const kinds: Partial<Record<TriggerKind, Kind>> = {
  [TriggerKind.UNSPECIFIED]: "auto",
  [TriggerKind.AUTO]: "auto",
  [TriggerKind.INVOKED]: "invoked",
  [TriggerKind.PRELOAD]: "preload",
  [TriggerKind.SPECULATIVE]: "speculative",
};

const shapes: Partial<Record<ShapeMessage, Shape>> = {
  [ShapeMessage.UNSPECIFIED]: "auto",
  [ShapeMessage.AUTO]: "auto",
  [ShapeMessage.TOKEN]: "token",
  [ShapeMessage.LINE]: "line",
  [ShapeMessage.BLOCK]: "block",
};

const lanesOf: Record<Kind, Lane> = { auto: "inline", invoked: "inline", preload: "speculative", speculative: "speculative" };
/** Enough for a line or a small block; what is never shown is not generated. */
const tokensOf: Record<Shape, number> = { token: 8, line: 32, auto: 64, block: 96, raw: 16 };

/** Work ahead of the person is of no use once they have gone on. */
const speculativeMs = 3_000;
/** A preload waits for an idle moment of its worker, as long as somebody may look at a file before the first key retires it. */
const preloadMs = 10_000;

export class Wishes {
  readonly #defaults: DeadlineDefaults;
  readonly #arrivals: Arrivals;
  readonly #admission: Pick<Admission, "admit" | "covers"> | undefined;

  constructor(options: DeadlineDefaults, deps: { arrivals: Arrivals; admission?: Pick<Admission, "admit" | "covers"> }) {
    this.#defaults = options;
    this.#arrivals = deps.arrivals;
    this.#admission = deps.admission;
  }

  /** `at` leads to the message's fields as errors name them: "trigger." in a session, "" in a call of its own. */
  inline(at: string, wish: Wish, place: Place, caller: AbortSignal): Trigger {
    if (place.excluded)
      throw new SlipstreamError("permission_denied", `${at}document_id: the document is excluded from completions`, {
        field: `${at}document_id`,
      });
    this.#admission?.covers(at, place);
    if (wish.kind === TriggerKind.NEXT_EDIT)
      throw new SlipstreamError("unsupported", `${at}kind: NEXT_EDIT is reserved and not served yet`, {
        field: `${at}kind`,
      });
    const kind = kinds[wish.kind];
    if (!kind) throw invalid(`${at}kind`, `${wish.kind} is not a trigger kind`);
    const shape = shapes[wish.shape];
    if (!shape) throw invalid(`${at}shape`, `${wish.shape} is not a shape`);
    const asked = sampling(`${at}sampling`, wish.sampling, { maxTokens: tokensOf[shape], maxTokensMax: limits.inlineTokensMax });
    const fallback = kind === "preload" ? preloadMs : kind === "invoked" ? this.#defaults.invokedMs : this.#defaults.autoMs;
    const checked = {
      kind,
      shape,
      lane: lanesOf[kind],
      // Nobody reads its text, however much a client asks for with every trigger: what it leaves is its prompt.
      sampling: kind === "preload" ? { ...asked, maxTokens: 1 } : asked,
      n: alternatives(at, wish.n ?? 0, kind),
      acceptProbability:
        wish.clientAcceptProbability === undefined
          ? undefined
          : within(`${at}client_accept_probability`, wish.clientAcceptProbability, 0, 1),
      indent: indent(at, wish.indent),
      sequence: sequenceOf(at, wish.sequence),
      stream: wish.stream,
      deadlineAfterMs: this.#deadline(at, wish.deadlineMs, fallback),
    };
    // Last: what is wrong in itself costs no quota.
    const admitted = this.#admitted(at, place.tenant, wish, kind === "invoked" ? "invoked" : "auto");
    if (kind !== "preload") return this.#arrivals.trigger(whole(place, checked, admitted), caller);
    const keyMs = admitted.keyMs ?? this.#defaults.autoMs;
    return this.#arrivals.trigger({ ...whole(place, checked, { ...admitted, deadlineAfterMs: undefined }), keyMs }, caller);
  }

  /** As if `shown` were accepted where the trigger stands: the next wish, for the speculative lane. */
  anticipated(trigger: Trigger, shown: string, caller: AbortSignal): Trigger {
    return this.#arrivals.trigger(
      {
        ...trigger,
        id: "",
        roams: false,
        kind: "speculative",
        lane: "speculative",
        text: new AppendedText(trigger.text, shown),
        origin: "accept",
        selected: undefined,
        n: 1,
        stream: false,
        deadlineAfterMs: speculativeMs,
      },
      caller,
    );
  }

  chat(at: string, wish: Pick<Wish, "deadlineMs" | "model" | "sampling">, place: Place, caller: AbortSignal): Trigger {
    const checked = {
      kind: "invoked",
      shape: "block",
      lane: "chat",
      sampling: sampling(`${at}sampling`, wish.sampling, { maxTokens: 256, maxTokensMax: limits.chatTokensMax }),
      n: 1,
      acceptProbability: undefined,
      indent: undefined,
      sequence: undefined,
      stream: true,
      deadlineAfterMs: this.#deadline(at, wish.deadlineMs, this.#defaults.chatMs),
    } as const;
    return this.#arrivals.trigger(whole(place, checked, this.#admitted(at, place.tenant, wish, "chat")), caller);
  }

  /** The pool that the name leads to, its deadline for what names none, and what a prompt may have. */
  #admitted(at: string, tenant: string, wish: Pick<Wish, "deadlineMs" | "model">, ask: Ask) {
    const model = shortText(`${at}model`, wish.model, limits.idCharsMax);
    const admitted = this.#admission?.admit(at, tenant, model, ask);
    return {
      model: admitted?.model ?? model,
      asked: model,
      deadlineAfterMs: wish.deadlineMs === 0 ? admitted?.deadlineMs : undefined,
      keyMs: admitted?.deadlineMs,
      promptBytesMax: admitted?.promptBytesMax,
    };
  }

  #deadline(at: string, given: number, fallback: number): number {
    return given === 0 ? fallback : within(`${at}deadline_ms`, given, 1, limits.deadlineMsMax);
  }
}

type Admitted = Pick<Given, "model" | "asked" | "promptBytesMax"> & { readonly deadlineAfterMs: number | undefined };
type Checked = Omit<Given, keyof Place | keyof Admitted | "verbatim" | "keyMs"> & Pick<Given, "deadlineAfterMs">;

/** Where, what and of whom, in one: written out, as this is every key's way (arrival.ts). */
function whole(place: Place, checked: Checked, admitted: Admitted): Given {
  return {
    id: place.id,
    tenant: place.tenant,
    session: place.session,
    document: place.document,
    kind: checked.kind,
    lane: checked.lane,
    shape: checked.shape,
    path: place.path,
    language: place.language,
    text: place.text,
    snippets: place.snippets,
    neighbours: place.neighbours,
    model: admitted.model,
    asked: admitted.asked,
    promptBytesMax: admitted.promptBytesMax,
    sampling: checked.sampling,
    n: checked.n,
    origin: place.origin,
    acceptProbability: checked.acceptProbability,
    selected: place.selected,
    indent: checked.indent,
    stream: checked.stream,
    stateless: place.stateless,
    roams: place.roams,
    sequence: checked.sequence,
    previousKeyMs: place.previousKeyMs,
    deadlineAfterMs: admitted.deadlineAfterMs ?? checked.deadlineAfterMs,
  };
}

/** Alternatives are for who asks, and looks through them. */
function alternatives(at: string, n: number, kind: Kind): number {
  if (n > limits.alternativesMax) throw invalid(`${at}n`, `more than ${limits.alternativesMax} alternatives`);
  if (n > 1 && kind !== "invoked")
    throw new SlipstreamError("unsupported", `${at}n: more than one alternative is for INVOKED alone`, { field: `${at}n` });
  return Math.max(1, n);
}

function sequenceOf(at: string, sequence = 0n): number {
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`${at}sequence`, `must be at most ${Number.MAX_SAFE_INTEGER}`);
  return Number(sequence);
}

/** Width 0 is no statement. */
function indent(at: string, message: IndentMessage | undefined): Indent | undefined {
  if (!message || message.width === 0) return undefined;
  return { tabs: message.tabs, width: within(`${at}indent.width`, message.width, 1, limits.indentWidthMax) };
}
