import { DataError } from '../common/error.ts';
import { JsonNumber, type JsonNode, printJson } from '../types/json-node.ts';
import type { CatalogSource, SideFormat } from '../sql/catalog/source.ts';
import type { Column } from '../types/schema.ts';
import type { CaseRecord, CaseWindow } from './case.ts';
import { textOf } from './read-cases.ts';

export interface EncodedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** A record of a case as the bytes that a producer of the source's formats would send. Throws `DataError`. */
export function encodeInput(record: CaseRecord, source: CatalogSource): EncodedRecord {
  const inner = encodeSide(record.key, source.keyFormat, source.schema.key);
  return {
    key:
      inner === null || record.window === null ? inner : Buffer.concat([inner, windowSuffix(record.window)]),
    value: encodeSide(record.value, source.valueFormat, source.schema.value),
  };
}

/** Kafka Streams' form of windowed keys: the start after the key; for sessions the end before it. */
function windowSuffix({ kind, start, end }: CaseWindow): Buffer {
  const suffix = Buffer.alloc(kind === 'session' ? 16 : 8);
  if (kind === 'session') suffix.writeBigInt64BE(BigInt(end), 0);
  suffix.writeBigInt64BE(BigInt(start), suffix.length - 8);
  return suffix;
}

function encodeSide(node: JsonNode, format: SideFormat, columns: readonly Column[]): Buffer | null {
  if (node === null) return null;
  switch (format.name) {
    case 'JSON':
      return Buffer.from(printJson(node));
    case 'DELIMITED':
      return Buffer.from(textOf(node));
    case 'KAFKA':
      return encodeKafka(node, columns);
    case 'NONE':
      // Bytes that the engine has to leave unread.
      return Buffer.from(scalarText(node));
    default:
      throw new DataError(`cannot write test records of format ${format.name}`);
  }
}

function encodeKafka(node: JsonNode, columns: readonly Column[]): Buffer {
  const type = columns[0]?.type.kind;
  if (type === 'string' || type === 'bytes' || type === undefined) return Buffer.from(scalarText(node));
  if (!(node instanceof JsonNumber)) throw new DataError(`${scalarText(node)} is no ${type.toUpperCase()}`);
  const buffer = Buffer.alloc(type === 'integer' ? 4 : 8);
  if (type === 'integer') buffer.writeInt32BE(Number(node.text));
  else if (type === 'double') buffer.writeDoubleBE(Number(node.text));
  else buffer.writeBigInt64BE(BigInt(node.text));
  return buffer;
}

function scalarText(node: JsonNode): string {
  return typeof node === 'object' && !(node instanceof JsonNumber) ? printJson(node) : textOf(node);
}
