// globals: names that code of a language may use without saying where they come from, and members of its most used types. Not
// complete: a rare one counts as out of scope, for every system alike.
import type { Language } from "./span.ts";

const script = `Array BigInt Boolean Buffer Date Error Infinity JSON Map Math NaN Number Object Promise RangeError ReferenceError
RegExp Set String Symbol SyntaxError TypeError URL URLSearchParams AbortController AbortSignal WeakMap WeakSet arguments console
decodeURIComponent encodeURIComponent exports fetch globalThis isNaN module parseFloat parseInt process require setTimeout
clearTimeout setInterval clearInterval structuredClone undefined window document
abs add apply assign bind call catch ceil charAt charCodeAt concat constructor debug delete done endsWith entries error every
fill filter finally find findIndex flat flatMap floor forEach freeze from get has hasOwnProperty includes indexOf info isArray
isInteger isNaN join json keys lastIndexOf length log map match max message min name now of ok padEnd padStart parse pop pow
prototype push random reduce reject repeat replace replaceAll resolve reverse round set shift size slice some sort splice split
sqrt stack startsWith status statusText stringify substring test text then toFixed toISOString toLowerCase toString toUpperCase
trim trimEnd trimStart unshift value values warn writeFile readFile readFileSync writeFileSync exports basename dirname resolve`;

const typed =
  "Partial Readonly ReadonlyArray ReadonlyMap ReadonlySet Record Required Pick Omit Exclude Extract ReturnType Iterable Iterator AsyncIterable";

const python = `__file__ __init__ __main__ __name__ abs all any append argv bool bytes clear close copy count dict encode decode endswith
enumerate exit extend filter find float format get index input insert int isinstance items iter join keys len list lower map max
min next object open path pop print range read remove repr replace reversed round self set setdefault sort sorted split
splitlines startswith str strip sum super tuple type update upper values write zip Exception KeyError ValueError TypeError
IndexError RuntimeError StopIteration NotImplementedError`;

const go = `any append bool byte cap close complex copy delete error false float32 float64 int int32 int64 iota len make max min new nil
panic print println recover rune string true uint uint32 uint64 uint8 Error Errorf New Printf Println Sprintf String Unwrap`;

const lists: Readonly<Record<Language, readonly string[]>> = {
  typescript: `${script} ${typed}`.split(/\s+/),
  javascript: script.split(/\s+/),
  python: python.split(/\s+/),
  go: go.split(/\s+/),
};

export const globals = (language: Language): readonly string[] => lists[language];
