// check: the words in which ingress refuses a field. Each returns the checked value or throws `invalid_request` naming it.
import { invalid } from "../../lib/errors.ts";

export function shortText(field: string, value: string, charsMax: number): string {
  if (value.length > charsMax) throw invalid(field, `longer than ${charsMax} characters`);
  return value;
}

export function id(field: string, value: string, charsMax: number): string {
  if (value === "") throw invalid(field, "is required");
  if (!/^[\x21-\x7e]+$/.test(value)) throw invalid(field, "may hold only printable ASCII without spaces");
  return shortText(field, value, charsMax);
}

export function within(field: string, value: number, min: number, max: number): number {
  if (!Number.isFinite(value) || value < min || value > max) throw invalid(field, `${value} is not between ${min} and ${max}`);
  return value;
}

/** UTF-8 bytes; refuses text that is not well-formed Unicode, which could be neither hashed nor encoded faithfully. */
export function textBytes(field: string, value: string, bytesMax: number): number {
  // A UTF-16 unit is at most three bytes: the common small text needs no count.
  if (value.length > bytesMax) throw invalid(field, `larger than ${bytesMax} bytes`);
  if (!value.isWellFormed()) throw invalid(field, "is not well-formed Unicode (a lone surrogate)");
  const size = Buffer.byteLength(value);
  if (size > bytesMax) throw invalid(field, `larger than ${bytesMax} bytes`);
  return size;
}

/** An offset that lies in the text and not inside a surrogate pair. */
export function offset(field: string, value: number, text: Pick<string, "length" | "slice">): number {
  if (value > text.length) throw invalid(field, `${value} is past the end of the document (${text.length})`);
  const around = value > 0 ? text.slice(value - 1, value + 1) : "";
  // Text here is well-formed: two units of one code point are a pair.
  if (around.length === 2 && (around.codePointAt(0) ?? 0) > 0xffff)
    throw invalid(field, `${value} is inside a character (a surrogate pair)`);
  return value;
}
