// rope: a long text as a balanced tree of short pieces. Never changed: a replacement makes a new rope that shares all but
// O(log n) nodes with the old one, so whoever holds the old one still reads the old text. Offsets count UTF-16 units; the
// length in UTF-8 is kept beside them. A piece never cuts a surrogate pair as long as no replacement does.

/** A key copies one piece; a document of 12 KB has eight. */
const pieceMax = 2_048;
const pieceNew = 1_536;
/** Shorter pieces take in a neighbour, so that deleting leaves no crumbs. */
const pieceMin = 512;

interface Piece {
  readonly height: 0;
  readonly length: number;
  readonly bytes: number;
  readonly text: string;
}

interface Branch {
  readonly height: number;
  readonly length: number;
  readonly bytes: number;
  readonly left: Node;
  readonly right: Node;
}

type Node = Piece | Branch;

export class Rope {
  readonly #root: Node;

  private constructor(root: Node) {
    this.#root = root;
  }

  static of(text: string): Rope {
    return new Rope(grow(piecesOf(text)));
  }

  /** In UTF-16 units. */
  get length(): number {
    return this.#root.length;
  }

  /** As UTF-8. */
  get bytes(): number {
    return this.#root.bytes;
  }

  /** Levels of the tree above its pieces. */
  get height(): number {
    return this.#root.height;
  }

  bytesBefore(at: number): number {
    let bytes = 0;
    let from = 0;
    let node = this.#root;
    while ("left" in node) {
      const right = from + node.left.length;
      if (at < right) {
        node = node.left;
      } else {
        bytes += node.left.bytes;
        from = right;
        node = node.right;
      }
    }
    return bytes + Buffer.byteLength(node.text.slice(0, at - from));
  }

  /** [from, to), both in 0…length. */
  slice(from: number, to: number): string {
    return from < to ? sliceOf(this.#root, from, to) : "";
  }

  /** A rope with [from, to) replaced by `text`. */
  replace(from: number, to: number, text: string): Rope {
    const root = this.#root;
    const first = pieceAt(root, from);
    const head = first.piece.text.slice(0, from - first.start);
    const firstEnd = first.start + first.piece.length;
    if (to <= firstEnd) {
      const length = first.piece.length - (to - from) + text.length;
      // Nearly every key: one piece is written anew, the tree keeps its form.
      if (length <= pieceMax && (length >= pieceMin || root.height === 0))
        return new Rope(swap(root, first.start, piece(head + text + first.piece.text.slice(to - first.start))));
    }
    const last = to <= firstEnd ? first : pieceAt(root, to);
    let start = first.start;
    let end = last.start + last.piece.length;
    let middle = head + text + last.piece.text.slice(to - last.start);
    if (middle.length < pieceMin && end < root.length) {
      const next = pieceAt(root, end + 1);
      middle += next.piece.text;
      end += next.piece.length;
    } else if (middle.length < pieceMin && start > 0) {
      const next = pieceAt(root, start);
      middle = next.piece.text + middle;
      start = next.start;
    }
    const before = cut(root, start)[0];
    const after = cut(root, end)[1];
    return new Rope(join(join(before, middle === "" ? undefined : grow(piecesOf(middle))), after) ?? piece(""));
  }

  /** The text in order; no piece ends inside a character. */
  *pieces(): IterableIterator<string> {
    const waiting: Node[] = [this.#root];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if ("text" in node) yield node.text;
      else waiting.push(node.right, node.left);
    }
  }

  toString(): string {
    return this.slice(0, this.length);
  }
}

function piece(text: string): Piece {
  return { height: 0, length: text.length, bytes: Buffer.byteLength(text), text };
}

function branch(left: Node, right: Node): Branch {
  return {
    height: Math.max(left.height, right.height) + 1,
    length: left.length + right.length,
    bytes: left.bytes + right.bytes,
    left,
    right,
  };
}

/** The text in pieces of about the same length. */
function piecesOf(text: string): Piece[] {
  if (text.length <= pieceMax) return [piece(detached(text))];
  const count = Math.ceil(text.length / pieceNew);
  const pieces: Piece[] = [];
  let from = 0;
  for (let i = 1; i <= count; i++) {
    let to = Math.round((text.length * i) / count);
    const before = text.charCodeAt(to - 1);
    if (to < text.length && before >= 0xd800 && before < 0xdc00) to -= 1;
    pieces.push(piece(detached(text.slice(from, to))));
    from = to;
  }
  return pieces;
}

/** A copy of its own: a slice keeps all of the text that it was cut from in memory. */
export function detached(text: string): string {
  // As UTF-8, ASCII takes a byte a character afterwards; half a surrogate pair would not survive that.
  const encoding = text.isWellFormed() ? "utf8" : "utf16le";
  return Buffer.from(text, encoding).toString(encoding);
}

function grow(pieces: readonly Piece[]): Node {
  const [only] = pieces;
  if (pieces.length === 1 && only) return only;
  const half = pieces.length >> 1;
  return branch(grow(pieces.slice(0, half)), grow(pieces.slice(half)));
}

/** The piece that holds the unit before `at`, and where it begins: text typed at the end of a piece belongs to it. */
function pieceAt(root: Node, at: number): { piece: Piece; start: number } {
  let node = root;
  let start = 0;
  while ("left" in node) {
    if (at - start <= node.left.length) node = node.left;
    else {
      start += node.left.length;
      node = node.right;
    }
  }
  return { piece: node, start };
}

function sliceOf(node: Node, from: number, to: number): string {
  if ("text" in node) return node.text.slice(Math.max(0, from), to);
  const middle = node.left.length;
  if (to <= middle) return sliceOf(node.left, from, to);
  if (from >= middle) return sliceOf(node.right, from - middle, to - middle);
  return sliceOf(node.left, from, to) + sliceOf(node.right, 0, to - middle);
}

/** The tree with the piece that begins at `start` exchanged. */
function swap(node: Node, start: number, to: Piece): Node {
  if ("text" in node) return to;
  const middle = node.left.length;
  return start < middle ? branch(swap(node.left, start, to), node.right) : branch(node.left, swap(node.right, start - middle, to));
}

/** Both sides of `at`, where one piece ends and the next begins. */
function cut(node: Node, at: number): [Node | undefined, Node | undefined] {
  if (at <= 0) return [undefined, node];
  if (at >= node.length || "text" in node) return [node, undefined];
  const middle = node.left.length;
  if (at < middle) {
    const [before, after] = cut(node.left, at);
    return [before, join(after, node.right)];
  }
  const [before, after] = cut(node.right, at - middle);
  return [join(node.left, before), after];
}

/** Two trees as one, balanced as an AVL tree is: heights of neighbours differ by at most one. */
function join(left: Node | undefined, right: Node | undefined): Node | undefined {
  return left && right ? joined(left, right) : (left ?? right);
}

function joined(left: Node, right: Node): Node {
  if ("left" in left && left.height > right.height + 1) return balanced(left.left, joined(left.right, right));
  if ("left" in right && right.height > left.height + 1) return balanced(joined(left, right.left), right.right);
  return branch(left, right);
}

/** A branch whose sides differ in height by at most two. */
function balanced(left: Node, right: Node): Node {
  if ("left" in left && left.height > right.height + 1) {
    const { left: outer, right: inner } = left;
    if (outer.height >= inner.height || !("left" in inner)) return branch(outer, branch(inner, right));
    return branch(branch(outer, inner.left), branch(inner.right, right));
  }
  if ("left" in right && right.height > left.height + 1) {
    const { left: inner, right: outer } = right;
    if (outer.height >= inner.height || !("left" in inner)) return branch(branch(left, inner), outer);
    return branch(branch(left, inner.left), branch(inner.right, outer));
  }
  return branch(left, right);
}
