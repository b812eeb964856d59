import { formatOf } from '../formats/registry.ts';
import type { JsonNode } from '../types/json-node.ts';
import type { CatalogSource, SideFormat } from '../sql/catalog/source.ts';
import type { Column } from '../types/schema.ts';
import type { CaseRecord, CaseWindow } from './case.ts';

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
  return formatOf(format.name).testRecords.encode(node, columns);
}
