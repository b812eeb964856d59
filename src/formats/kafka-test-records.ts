import { DataError } from '../common/error.ts';
import { doubleText } from '../types/double-text.ts';
import { JsonNumber } from '../types/json-node.ts';
import type { Column } from '../types/schema.ts';
import { plainText, type TestRecords } from './test-records.ts';

/** How a number stands in test files, and in bytes. */
interface NumberForm {
  readonly widthBytes: number;
  /** Throws what is no number of the kind. */
  write(buffer: Buffer, text: string): void;
  read(buffer: Buffer): string;
}

const NUMBERS: Readonly<Partial<Record<Column['type']['kind'], NumberForm>>> = {
  integer: {
    widthBytes: 4,
    write: (buffer, text) => buffer.writeInt32BE(Number(text)),
    read: (buffer) => String(buffer.readInt32BE(0)),
  },
  bigint: {
    widthBytes: 8,
    write: (buffer, text) => buffer.writeBigInt64BE(BigInt(text)),
    read: (buffer) => String(buffer.readBigInt64BE(0)),
  },
  double: {
    widthBytes: 8,
    write: (buffer, text) => buffer.writeDoubleBE(Number(text)),
    read: (buffer) => doubleText(buffer.readDoubleBE(0)),
  },
};

/** Numbers as such, all else as text: BYTES that are none cannot be told. */
export const kafkaTestRecords: TestRecords = {
  isText: false,
  encode(node, [column]) {
    const form = column === undefined ? undefined : NUMBERS[column.type.kind];
    if (form === undefined) return Buffer.from(plainText(node));
    const buffer = Buffer.alloc(form.widthBytes);
    try {
      if (!(node instanceof JsonNumber)) throw new DataError('it is no number');
      form.write(buffer, node.text);
    } catch {
      throw new DataError(`${plainText(node)} is no ${column!.type.kind.toUpperCase()}`);
    }
    return buffer;
  },
  decode(bytes, [column]) {
    const form = column === undefined ? undefined : NUMBERS[column.type.kind];
    if (form === undefined) return bytes.toString();
    if (bytes.length !== form.widthBytes)
      throw new DataError(
        `${column!.type.kind.toUpperCase()} has ${form.widthBytes} bytes, not ${bytes.length}`,
      );
    return new JsonNumber(form.read(bytes));
  },
};
