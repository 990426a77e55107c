// message-pack: bytes of MessagePack (the public specification) in, plain values out. Whole numbers of 64 bits come as bigint, since
// hashes need every bit; everything else as JSON would have it. Bytes that promise more than they hold, or nest deeper than any
// event does, are refused.

const depthMax = 32;

export type Packed = null | boolean | number | bigint | string | Buffer | readonly Packed[] | { readonly [key: string]: Packed };

/** Throws a RangeError for what is no MessagePack. */
export function unpack(bytes: Buffer): Packed {
  return new Reader(bytes).value(0);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(depth: number): Packed {
    if (depth > depthMax) throw new RangeError(`nested deeper than ${depthMax}`);
    const head = this.#uint(1);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, depth);
    if (head < 0xa0) return this.#array(head & 0x0f, depth);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    return this.#long(head, depth);
  }

  #long(head: number, depth: number): Packed {
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (head - 0xc4)));
      case 0xca:
        return this.#take(4).readFloatBE();
      case 0xcb:
        return this.#take(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (head - 0xcc));
      case 0xcf:
        return this.#take(8).readBigUInt64BE();
      case 0xd0:
      case 0xd1:
      case 0xd2: {
        const size = 1 << (head - 0xd0);
        return this.#take(size).readIntBE(0, size);
      }
      case 0xd3:
        return this.#take(8).readBigInt64BE();
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (head - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (head - 0xde)), depth);
      default:
        throw new RangeError(`0x${head.toString(16)} begins nothing that an event holds`);
    }
  }

  #array(length: number, depth: number): Packed[] {
    this.#holds(length);
    const values: Packed[] = [];
    for (let i = 0; i < length; i++) values.push(this.value(depth + 1));
    return values;
  }

  #map(length: number, depth: number): { [key: string]: Packed } {
    this.#holds(2 * length);
    const entries: [string, Packed][] = [];
    for (let i = 0; i < length; i++) entries.push([String(this.value(depth + 1)), this.value(depth + 1)]);
    return Object.fromEntries(entries);
  }

  #text(length: number): string {
    return this.#take(length).toString("utf8");
  }

  #uint(size: number): number {
    return this.#take(size).readUIntBE(0, size);
  }

  #take(size: number): Buffer {
    this.#holds(size);
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  /** Each value takes at least a byte: no list can be longer than what is left. */
  #holds(count: number): void {
    if (this.#at + count > this.#bytes.length) throw new RangeError("it ends too early");
  }
}
