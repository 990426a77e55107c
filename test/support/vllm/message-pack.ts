// message-pack: values in, MessagePack out, as an engine's publisher writes its events.

export function pack(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.of(0xc0);
  if (typeof value === "boolean") return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === "bigint") return word(0xcf, 8, (bytes) => bytes.writeBigUInt64BE(value, 1));
  if (typeof value === "number") return number(value);
  if (typeof value === "string")
    return Buffer.concat([head(Buffer.byteLength(value), 0xa0, 32, [0xd9, 0xda, 0xdb]), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(value.length, 0, 0, [0xc4, 0xc5, 0xc6]), value]);
  if (Array.isArray(value)) return Buffer.concat([head(value.length, 0x90, 16, [0, 0xdc, 0xdd]), ...value.map(pack)]);
  const entries = Object.entries(value as object);
  return Buffer.concat([
    head(entries.length, 0x80, 16, [0, 0xde, 0xdf]),
    ...entries.flatMap(([key, each]) => [pack(key), pack(each)]),
  ]);
}

function number(value: number): Buffer {
  if (!Number.isInteger(value)) return word(0xcb, 8, (bytes) => bytes.writeDoubleBE(value, 1));
  if (value >= 0 && value < 0x80) return Buffer.of(value);
  if (value < 0 && value >= -32) return Buffer.of(0x100 + value);
  if (value < 0) return word(0xd2, 4, (bytes) => bytes.writeInt32BE(value, 1));
  if (value < 0x1_0000) return word(0xcd, 2, (bytes) => bytes.writeUInt16BE(value, 1));
  return word(0xce, 4, (bytes) => bytes.writeUInt32BE(value, 1));
}

function head(length: number, short: number, shortMax: number, long: readonly [number, number, number]): Buffer {
  if (length < shortMax) return Buffer.of(short + length);
  if (length < 0x100 && long[0] !== 0) return Buffer.of(long[0], length);
  if (length < 0x1_0000) return word(long[1], 2, (bytes) => bytes.writeUInt16BE(length, 1));
  return word(long[2], 4, (bytes) => bytes.writeUInt32BE(length, 1));
}

function word(first: number, size: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = first;
  write(bytes);
  return bytes;
}
