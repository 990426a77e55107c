// shown: what an editor says of completions it was given: seen, taken word by word or whole, let go. The text that was given is
// remembered until its end is known, so that an accepted one is followed in its document. Bounded.
import type { Session, Text } from "../sdk/sdk.ts";
import type { Documents, OpenFile } from "./documents.ts";
import { fields } from "./params.ts";
import { invalidParams } from "./rpc.ts";

export const acceptCommand = "slipstream.didAcceptCompletionItem";
export const rejectCommand = "slipstream.didRejectCompletionItem";

interface Given {
  readonly uri: string;
  readonly start: number;
  readonly text: string;
  shown: boolean;
  /** A word or a line of it was taken. */
  begun: boolean;
}

const givenMax = 256;

type Params = Readonly<Record<string, unknown>>;

export class Shown {
  readonly #given = new Map<string, Given>();
  readonly #session: () => Session;
  readonly #documents: Documents;

  constructor(deps: { session: () => Session; documents: Documents }) {
    this.#session = deps.session;
    this.#documents = deps.documents;
  }

  /** What stands in a document until now was neither taken whole nor refused: the new text goes on from it, or it was let be. */
  give(file: OpenFile, answer: Text): void {
    for (const [id, { uri, shown, begun }] of this.#given) {
      if (uri !== file.uri || id === answer.completionId) continue;
      if (shown && (begun || answer.outcome === "typed_ahead")) this.#session().feedback.superseded(id);
      else if (shown) this.#session().feedback.ignored(id);
      this.#given.delete(id);
    }
    const [item] = answer.items;
    const [oldest] = this.#given.keys();
    if (oldest !== undefined && this.#given.size >= givenMax) this.#given.delete(oldest);
    if (item)
      this.#given.set(answer.completionId, { uri: file.uri, start: item.start, text: item.text, shown: false, begun: false });
  }

  didShow(params: Params): void {
    const id = idIn(params);
    const given = this.#given.get(id);
    if (given) given.shown = true;
    this.#session().feedback.shown(id);
  }

  /** `acceptedLength` units from the beginning, by now. */
  didPartiallyAccept(params: Params): void {
    const length = params["acceptedLength"];
    if (!Number.isInteger(length) || (length as number) < 1) throw invalidParams("acceptedLength: not a whole number above 0");
    this.#partial(idIn(params), length as number);
  }

  /** Of `workspace/executeCommand`: the completion, and how much of it where that is not all. */
  command(params: Params): null {
    const { command } = params;
    const [id, length] = Array.isArray(params["arguments"]) ? (params["arguments"] as unknown[]) : [];
    if (typeof id !== "string" || id === "") throw invalidParams("arguments[0]: not the name of a completion");
    if (command === rejectCommand) {
      this.#session().feedback.rejected(id);
      this.#given.delete(id);
    } else if (command !== acceptCommand) throw invalidParams(`command: there are ${acceptCommand} and ${rejectCommand}`);
    else if (Number.isInteger(length) && (length as number) > 0 && (length as number) < (this.#given.get(id)?.text.length ?? 0))
      this.#partial(id, length as number);
    else this.#accept(id);
    return null;
  }

  #partial(id: string, length: number): void {
    const whole = this.#given.get(id)?.text.length;
    if (whole !== undefined && length > whole) throw invalidParams(`acceptedLength: the text has ${whole} units`);
    if (length === whole) {
      this.#accept(id);
      return;
    }
    const given = this.#given.get(id);
    if (given) given.begun = true;
    this.#session().feedback.partial(id, length);
  }

  #accept(id: string): void {
    const given = this.#given.get(id);
    this.#given.delete(id);
    const file = given && this.#documents.find(given.uri);
    // Followed only where it stands: editors may say so before their edit.
    const stands = file?.document.text.startsWith(given?.text ?? "", given?.start ?? 0);
    this.#session().feedback.accepted(
      id,
      given && file && stands ? { document: file.document, start: given.start, text: given.text } : undefined,
    );
  }
}

/** Items come back with the command they were given. */
function idIn(params: Params): string {
  const command = fields(fields(params["item"], "item")["command"], "item.command");
  const [id] = Array.isArray(command["arguments"]) ? (command["arguments"] as unknown[]) : [];
  if (typeof id !== "string") throw invalidParams("item.command.arguments[0]: not the name of a completion");
  return id;
}
