// tokenize: llama.cpp's `/tokenize`: a text in, the tokens that the model's worker has for it out. The router has no vocabulary: it
// asks, apart from all generations, and only for texts so short that nobody's completion waits for the answer.
import { invalid, SlipstreamError } from "../../../lib/errors.ts";
import { verbatim } from "../../../lib/fim/verbatim.ts";
import type { Call } from "../route.ts";

const contentBytesMax = 64 << 10;

interface Asked {
  readonly content: string;
  readonly parse_special?: boolean | null | undefined;
  readonly with_pieces?: boolean | null | undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export async function tokenize({ router, tenant, body }: Call<Asked>): Promise<object> {
  const { content, parse_special: parses, with_pieces: withPieces } = body;
  if (!content.isWellFormed()) throw invalid("content", "is not well-formed Unicode (a lone surrogate)");
  if (Buffer.byteLength(content) > contentBytesMax) throw invalid("content", `larger than ${contentBytesMax} bytes`);
  const model = router.rooms.fleet.model(router.models(tenant)[0] ?? "");
  if (!model) throw new SlipstreamError("no_worker", "no worker is connected", { retryAfterMs: 500 });
  if (content === "") return { tokens: [] };
  const specials = [...Object.values(model.fim), ...(model.specials ?? [])];
  const segments = (parses ?? true) ? verbatim(content, specials) : [{ text: content }];
  const { ids, pieces } = await router.rooms.dispatch.tokenize(model.name, segments);
  if (!withPieces) return { tokens: ids };
  if (pieces.length < ids.length)
    throw new SlipstreamError("unsupported", "with_pieces: the engine does not tell what its tokens spell", {
      field: "with_pieces",
    });
  return { tokens: ids.map((id, i) => ({ id, piece: spelt(pieces[i] as Uint8Array) })) };
}

/** A part of a character is told by its bytes. */
function spelt(piece: Uint8Array): string | number[] {
  try {
    return decoder.decode(piece);
  } catch {
    return [...piece];
  }
}
