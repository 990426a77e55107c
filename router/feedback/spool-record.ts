// spool-record: one batch as bytes in a spool file, and back. A record that was not written whole, or was spoilt, is told by its
// checksum; a byte of its head says that it is stored elsewhere and is the only one that is ever changed.
import { crc32 } from "node:zlib";
import type { SpooledBatch } from "./spool.ts";

/** magic 4 · state 1 · 0 · length of id 2 · length of data 4 · events 4 · crc 4, little-endian; then id and data. */
const headBytes = 20;
const magic = 0x314f4c53;
/** Where in a record the state stands. */
export const stateAt = 4;
export const stored = 1;

export interface Found {
  readonly id: string;
  readonly events: number;
  readonly offset: number;
  readonly length: number;
  readonly stored: boolean;
}

export function encode({ id, data, events }: SpooledBatch): Buffer {
  const name = Buffer.from(id);
  const record = Buffer.alloc(headBytes + name.length + data.length);
  record.writeUInt32LE(magic, 0);
  record.writeUInt16LE(name.length, 6);
  record.writeUInt32LE(data.length, 8);
  record.writeUInt32LE(events, 12);
  name.copy(record, headBytes);
  record.set(data, headBytes + name.length);
  record.writeUInt32LE(sum(record), 16);
  return record;
}

/** Undefined: it is not a whole record. */
export function decode(record: Buffer): SpooledBatch | undefined {
  const [found] = scan(record).records;
  if (!found || found.length !== record.length) return undefined;
  return { id: found.id, events: found.events, data: record.subarray(headBytes + Buffer.byteLength(found.id)) };
}

/** The whole records of a file, and how far they reach: what follows was not written to its end. */
export function scan(file: Buffer): { readonly records: readonly Found[]; readonly end: number } {
  const records: Found[] = [];
  let offset = 0;
  while (offset + headBytes <= file.length && file.readUInt32LE(offset) === magic) {
    const nameBytes = file.readUInt16LE(offset + 6);
    const length = headBytes + nameBytes + file.readUInt32LE(offset + 8);
    if (offset + length > file.length) break;
    const record = file.subarray(offset, offset + length);
    if (sum(record) !== record.readUInt32LE(16)) break;
    records.push({
      id: record.toString("utf8", headBytes, headBytes + nameBytes),
      events: record.readUInt32LE(12),
      offset,
      length,
      stored: record[stateAt] === stored,
    });
    offset += length;
  }
  return { records, end: offset };
}

/** Of all but the state and the sum itself. */
function sum(record: Buffer): number {
  return crc32(record.subarray(headBytes), crc32(record.subarray(6, 16)));
}
