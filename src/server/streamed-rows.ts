import type { RowStream } from '../engine/result.ts';
import { jsonText } from '../types/json-value.ts';
import { printType, quoteIdentifier } from '../types/print-type.ts';
import { errorBody } from './request-error.ts';
import type { HttpRequest, RouteContext } from './route.ts';

/** Rows in the array form of ksqlDB's older API: a line each, and a well-formed end in every case. */
export async function* streamedRows(
  rows: RowStream,
  request: HttpRequest,
  { running }: RouteContext,
): AsyncGenerator<string> {
  const close = (): Promise<void> => rows.close();
  running.set(rows.queryId, close);
  const abort = (): void => void close().catch(() => undefined);
  request.signal.addEventListener('abort', abort, { once: true });
  const texts = rows.columns.map((column) => jsonText(column.type));
  const schema = rows.columns.map((column) => `${quoteIdentifier(column.name)} ${printType(column.type)}${column.isKey ? ' KEY' : ''}`);
  try {
    yield `[${JSON.stringify({ header: { queryId: rows.queryId, schema: schema.join(', ') } })}`;
    for (let batch = await rows.next(); batch !== null; batch = await rows.next())
      for (const [i, row] of batch.rows.entries()) {
        const columns = texts.map((text, c) => text(row[c] ?? null)).join(',');
        const tombstone = batch.tombstones?.[i] === true ? ',"tombstone":true' : '';
        yield `,\n{"row":{"columns":[${columns}]${tombstone}}}`;
      }
    if (rows.kind === 'push')
      yield `,\n${JSON.stringify({ finalMessage: rows.end === 'limit' ? 'Limit Reached' : 'Query Completed' })}`;
  } catch (error) {
    yield `,\n${JSON.stringify({ errorMessage: errorBody(error) })}`;
  } finally {
    request.signal.removeEventListener('abort', abort);
    running.delete(rows.queryId);
    await close();
  }
  yield ']\n';
}
