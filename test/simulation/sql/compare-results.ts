import type { QueryResult, ResultRow, SqlRunner } from './sql-runner.ts';

export const SEPARATOR = ' | ';

export function lineOf(row: ResultRow): string {
  return row.values.join(SEPARATOR);
}

export function rowOf(line: string): ResultRow {
  return { values: line.split(SEPARATOR), tombstone: false };
}

/** The rows that are left after all changes; the first `keySize` values are the key. */
export function lastRows(rows: readonly ResultRow[], keySize: number): readonly string[] {
  const last = new Map<string, string>();
  for (const row of rows) {
    const key = row.values.slice(0, keySize).join(SEPARATOR);
    if (row.tombstone) last.delete(key);
    else last.set(key, lineOf(row));
  }
  return [...last.values()];
}

/** Null when both hold the same lines, in any order. */
export function difference(expected: readonly string[], found: readonly string[]): string | null {
  const left = [...found];
  const missing = expected.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (missing.length === 0 && left.length === 0) return null;
  return `missing ${missing.join('; ') || 'none'}; too many ${left.join('; ') || 'none'}`;
}

/** Null when both hold the same lines in the same order. */
export function orderedDifference(expected: readonly string[], found: readonly string[]): string | null {
  const at = expected.findIndex((line, i) => line !== found[i]);
  if (at < 0 && expected.length === found.length) return null;
  const place = at < 0 ? expected.length : at;
  return `row ${place}: ${found[place]} instead of ${expected[place]} (${found.length} of ${expected.length})`;
}

/**
 * The result with the optimizer, or how it differs from that without: in its rows, their order, removals, or in what
 * was said of records that were skipped. `anyOrder`: sources are read side by side, and which is first is open.
 */
export async function runBoth(
  runner: SqlRunner,
  sql: string,
  anyOrder = false,
): Promise<QueryResult | string> {
  const plain = await runner.run(sql, false);
  const optimized = await runner.run(sql, true);
  const changes = ({ rows }: QueryResult): string[] =>
    rows.map((row) => (row.tombstone ? `removed ${lineOf(row)}` : lineOf(row)));
  const compare = anyOrder ? difference : orderedDifference;
  const rows = compare(changes(plain), changes(optimized));
  if (rows !== null) return `${sql} with the optimizer: ${rows}`;
  // Where one plan has a topic of its own, records are skipped at other places.
  const withPlace = plain.readsOwnTopics || optimized.readsOwnTopics ? 'text' : 'placed';
  const said = difference(
    plain.skipped.map((each) => each[withPlace]),
    optimized.skipped.map((each) => each[withPlace]),
  );
  return said === null ? optimized : `${sql} with the optimizer, of skipped records: ${said}`;
}
