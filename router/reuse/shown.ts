// shown: where a text stands in a document, and what of it is left for a cursor that has moved on by typing. Pure. A place
// keeps only the ends of the text around it: with the document's key that is as good as the whole.
import { detached } from "../../lib/structures/rope.ts";
import type { Trigger } from "../completion.ts";

/** Enough that an edit above the line is noticed nearly always, little enough to keep for every session. */
const tailUtf16 = 512;
/** No completion is longer: what is farther from its place has nothing left of it. */
const typedMaxUtf16 = 8_192;
/** An editor closes brackets and quotes by itself: they then stand right of the cursor and are no edit of the person's. */
const closedMaxUtf16 = 2;
const autoClosed = /^[)\]}'"`>]{1,2}$/;

export interface Place {
  readonly prefixLength: number;
  readonly prefixTail: string;
  readonly suffixHead: string;
  readonly suffixLength: number;
  /** Model, shape and sampling: text made for another wish is not what is wanted now. */
  readonly wish: string;
}

/** Of a trigger: its flight is kept with it, and its text when that is shown. */
const places = new WeakMap<Trigger, Place>();

export function placeOf(trigger: Trigger): Place {
  let place = places.get(trigger);
  if (!place) {
    const { text } = trigger;
    place = {
      prefixLength: text.lengthBefore,
      // A piece of a longer string keeps all of it: several windows of every document, for as long as places are kept.
      prefixTail: detached(text.before(tailUtf16)),
      suffixHead: detached(text.after(tailUtf16)),
      suffixLength: text.lengthAfter,
      wish: wishOf(trigger),
    };
    places.set(trigger, place);
  }
  return place;
}

/** What was typed from `place` to the trigger's cursor, and closed by the editor after it; undefined: another place. */
export function typedSince(place: Place, trigger: Trigger): { readonly typed: string; readonly closed: string } | undefined {
  const { text } = trigger;
  const length = text.lengthBefore - place.prefixLength;
  if (length < 0 || length > typedMaxUtf16 || tailOf(trigger, length) !== place.prefixTail) return undefined;
  const closedLength = text.lengthAfter - place.suffixLength;
  if (closedLength > closedMaxUtf16) return undefined;
  const closed = text.after(Math.max(0, closedLength));
  if (closed !== "" && !autoClosed.test(closed)) return undefined;
  if (text.lengthAfter !== place.suffixLength + closed.length) return undefined;
  if (text.after(closed.length + tailUtf16).slice(closed.length) !== place.suffixHead) return undefined;
  // Last, as it is the dearest: nearly all places are told apart by their text.
  if (wishOf(trigger) !== place.wish) return undefined;
  return { typed: text.range(place.prefixLength, text.lengthBefore), closed };
}

/** The end of the text that lies so far before the cursor: near it, of what every reader has read already. */
function tailOf({ text }: Trigger, back: number): string {
  if (back > tailUtf16) return text.range(text.lengthBefore - back - tailUtf16, text.lengthBefore - back);
  const near = text.before(tailUtf16 + back);
  return near.slice(0, near.length - back);
}

const wishes = new WeakMap<Trigger, string>();

/** Written out once a trigger: every text and flight of its document is compared with it. */
function wishOf(trigger: Trigger): string {
  let wish = wishes.get(trigger);
  if (wish === undefined) {
    const { model, shape, sampling } = trigger;
    wish = JSON.stringify([model, shape, sampling]);
    wishes.set(trigger, wish);
  }
  return wish;
}

/** The rest of `text` after what was typed of it; "" when the typist went another way or typed it all. */
export function restOf(text: string, since: { readonly typed: string; readonly closed: string }): string {
  if (!text.startsWith(since.typed)) return "";
  const rest = text.slice(since.typed.length);
  // The closers are there already: what follows them in the text would stand on their wrong side.
  return since.closed !== "" && rest.endsWith(since.closed) ? rest.slice(0, -since.closed.length) : since.closed === "" ? rest : "";
}
