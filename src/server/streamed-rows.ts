import type { RowStream } from '../engine/result.ts';
import { jsonText } from '../types/json-value.ts';
import { printType, quoteIdentifier } from '../types/print-type.ts';
import { tieToRequest } from './tie-to-request.ts';
import { errorBody } from './request-error.ts';
import type { HttpRequest, RouteContext } from './route.ts';
import { rowObject } from './row-text.ts';

/**
 * Rows in the array form of ksqlDB's older API: one element on each line, and a well-formed end in every case. Clients read
 * it line by line, so a row's line is complete when the row is sent; only a pull query on a table, which has no
 * closing element, holds its comma back until the next.
 */
export function streamedRows(
  rows: RowStream,
  request: HttpRequest,
  context: RouteContext,
): AsyncGenerator<string> {
  return elements(rows, tieToRequest(rows, request, context));
}

async function* elements(rows: RowStream, end: () => Promise<void>): AsyncGenerator<string> {
  const texts = rows.columns.map((column) => jsonText(column.type));
  const schema = rows.columns.map(
    // Clients of this form read names in back quotes. Only what is looked up in a table has keys.
    ({ name, type, isKey }) =>
      `${quoteIdentifier(name)} ${printType(type, quoteIdentifier)}${isKey && rows.kind === 'pull' ? ' KEY' : ''}`,
  );
  const isLookup = rows.kind === 'pull' && rows.readsStream !== true;
  const [before, after] = isLookup ? [',\n', ''] : ['', ',\n'];
  try {
    yield `[${JSON.stringify({ header: { queryId: rows.queryId, schema: schema.join(', ') } })}${after}`;
    for (let batch = await rows.next(); batch !== null; batch = await rows.next())
      for (const [i, row] of batch.rows.entries()) {
        const columns = texts.map((text, c) => text(row[c] ?? null)).join(',');
        yield `${before}${rowObject(columns, batch.tombstones?.[i] === true)}${after}`;
      }
    if (!isLookup)
      yield JSON.stringify({ finalMessage: rows.end === 'limit' ? 'Limit Reached' : 'Query Completed' });
  } catch (error) {
    yield `${before}${JSON.stringify({ errorMessage: errorBody(error) })}`;
  } finally {
    await end();
  }
  yield ']\n';
}
