import { DataError } from '../common/error.ts';
import type { JsonNode } from '../types/json-node.ts';
import { formatOf } from '../formats/registry.ts';
import { plainText } from '../formats/test-records.ts';
import type { CatalogSource, SideFormat } from '../sql/catalog/source.ts';
import type { Column } from '../types/schema.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { CaseHeader, CaseRecord } from './case.ts';
import { brief, matchJson } from './match-json.ts';
import { headersOf, keyOf, timestampOf, type TopicRecord, valueOf } from './topic-records.ts';

export interface CompareOptions {
  /** Numbers are compared exactly; false: within a millionth. */
  readonly exact: boolean;
  /** The case feeds nothing: an expected timestamp of 0 then means none in particular. */
  readonly withoutInputs: boolean;
}

/** Null when the topic holds exactly the expected records, in order; else where and how it differs. */
export function compareOutput(
  expected: readonly CaseRecord[],
  found: readonly TopicRecord[],
  source: CatalogSource,
  options: CompareOptions,
): string | null {
  for (let i = 0; i < Math.min(expected.length, found.length); i++) {
    const reason = compareRecord(expected[i]!, found[i]!, source, options);
    if (reason !== null) return `topic ${source.topic}, record ${i}: ${reason}`;
  }
  if (expected.length === found.length) return null;
  const more = found[expected.length];
  const next = more === undefined ? '' : `; the next is ${describe(more, source)}`;
  return `topic ${source.topic}: expected ${expected.length} records, found ${found.length}${next}`;
}

function describe(record: TopicRecord, source: CatalogSource): string {
  const { keyFormat, valueFormat, schema, window } = source;
  try {
    const key = splitWindow(keyOf(record), window).inner;
    return `${brief(decodeSide(key, keyFormat, schema.key))} = ${brief(decodeSide(valueOf(record), valueFormat, schema.value))}`;
  } catch (error) {
    return String(error);
  }
}

function compareRecord(
  expected: CaseRecord,
  found: TopicRecord,
  source: CatalogSource,
  { exact, withoutInputs }: CompareOptions,
): string | null {
  const { keyFormat, valueFormat, schema } = source;
  const { inner, window } = splitWindow(keyOf(found), source.window);
  if (expected.window !== null) {
    const { kind, start, end } = expected.window;
    if (window === null) return 'the key has no window';
    if (window.kind !== kind || window.start !== start || window.end !== end)
      return `expected ${kind} window ${start}..${end}, found ${window.kind} window ${window.start}..${window.end}`;
  }
  const key = compareSide(expected.key, inner, keyFormat, schema.key, exact);
  if (key !== null) return `key ${key}`;
  const value = compareSide(expected.value, valueOf(found), valueFormat, schema.value, exact);
  if (value !== null) return `value ${value}`;
  const headers = headersOf(found);
  if (!sameHeaders(expected.headers, headers))
    return `expected headers ${describeHeaders(expected.headers)}, found ${describeHeaders(headers)}`;
  const timestamp = timestampOf(found);
  if (
    expected.timestamp === null ||
    expected.timestamp === timestamp ||
    (withoutInputs && expected.timestamp === 0)
  )
    return null;
  return `expected timestamp ${expected.timestamp}, found ${timestamp}`;
}

function compareSide(
  expected: JsonNode,
  bytes: Buffer | null,
  format: SideFormat,
  columns: readonly Column[],
  exact: boolean,
): string | null {
  let found: JsonNode;
  try {
    found = decodeSide(bytes, format, columns);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return `cannot be read: ${error.message}`;
  }
  const { isText } = formatOf(format.name).testRecords;
  const wanted = isText && expected !== null ? plainText(expected) : expected;
  return matchJson(wanted, found, exact, typeOfSide(format, columns));
}

function typeOfSide(format: SideFormat, columns: readonly Column[]): SqlType | null {
  if (columns.length === 1 && !format.wrapped) return columns[0]!.type;
  return { kind: 'struct', fields: columns };
}

/** The bytes as a test file would have them. Throws `DataError`. */
function decodeSide(bytes: Buffer | null, format: SideFormat, columns: readonly Column[]): JsonNode {
  return bytes === null ? null : formatOf(format.name).testRecords.decode(bytes, columns);
}

function splitWindow(
  key: Buffer | null,
  window: CatalogSource['window'],
): { inner: Buffer | null; window: { kind: 'time' | 'session'; start: number; end: number } | null } {
  if (key === null || window === null) return { inner: key, window: null };
  const session = window.kind === 'session';
  const size = session ? 16 : 8;
  if (key.length < size) return { inner: key, window: null };
  const start = Number(key.readBigInt64BE(key.length - 8));
  const end = session ? Number(key.readBigInt64BE(key.length - 16)) : start + (window.sizeMs ?? 0);
  return {
    inner: key.subarray(0, key.length - size),
    window: { kind: session ? 'session' : 'time', start, end },
  };
}

function sameHeaders(expected: readonly CaseHeader[], found: ReturnType<typeof headersOf>): boolean {
  return (
    expected.length === found.length &&
    expected.every(({ key, value }, i) => {
      const other = found[i]!;
      if (key !== other.key || (value === null) !== (other.value === null)) return false;
      return value === null || Buffer.compare(value, other.value!) === 0;
    })
  );
}

function describeHeaders(headers: readonly { key: string; value: Uint8Array | null }[]): string {
  const one = ({ key, value }: { key: string; value: Uint8Array | null }): string =>
    `${key}=${value === null ? 'null' : Buffer.from(value).toString('base64')}`;
  return `[${headers.map(one).join(', ')}]`;
}
