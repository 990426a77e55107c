// selected: the item chosen in the editor's own menu. The trigger is for the text as it would be with that item, so that every
// room after this sees an ordinary cursor at its end; the answer begins with the item and says what it takes the place of.
import { invalid } from "../../lib/errors.ts";
import type { Rope } from "../../lib/structures/rope.ts";
import type { SelectedItem } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Selected } from "../completion.ts";
import { offset, textBytes } from "./check.ts";
import { limits } from "./limits.ts";

/** `cursor` lies in the range or at its ends. No text: no item. */
export function selectedItem(at: string, message: SelectedItem | undefined, cursor: number, text: Rope): Selected | undefined {
  if (!message || message.text === "") return undefined;
  if (message.text.length > limits.selectedUtf16Max)
    throw invalid(`${at}.text`, `longer than ${limits.selectedUtf16Max} characters`);
  textBytes(`${at}.text`, message.text, 3 * limits.selectedUtf16Max);
  const startUtf16 = offset(`${at}.start_utf16`, message.startUtf16, text);
  const endUtf16 = offset(`${at}.end_utf16`, message.endUtf16, text);
  if (startUtf16 > cursor) throw invalid(`${at}.start_utf16`, `${startUtf16} is after the cursor (${cursor})`);
  if (endUtf16 < cursor) throw invalid(`${at}.end_utf16`, `${endUtf16} is before the cursor (${cursor})`);
  return { text: message.text, startUtf16, endUtf16 };
}
