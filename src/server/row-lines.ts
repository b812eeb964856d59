import type { RowStream } from '../engine/result.ts';
import { jsonText } from '../types/json-value.ts';
import { printType } from '../types/print-type.ts';
import { tieToRequest } from './tie-to-request.ts';
import { errorBody } from './request-error.ts';
import type { HttpRequest, RouteContext } from './route.ts';
import { rowObject } from './row-text.ts';

/**
 * Rows in the form of ksqlDB's newer API: the columns, then an array for each row; as lines (`asArray` false) or as the
 * elements of one JSON array. Removals from a table are left out, as in ksqlDB, unless the request asks for them: then
 * each is an object among the arrays.
 */
export function rowLines(
  rows: RowStream,
  { asArray, tombstones }: { readonly asArray: boolean; readonly tombstones: boolean },
  request: HttpRequest,
  context: RouteContext,
): AsyncGenerator<string> {
  const end = tieToRequest(rows, request, context);
  const texts = lines(rows, tombstones, end);
  return asArray ? arrayOf(texts) : linesOf(texts);
}

async function* lines(
  rows: RowStream,
  tombstones: boolean,
  end: () => Promise<void>,
): AsyncGenerator<string> {
  const texts = rows.columns.map((column) => jsonText(column.type));
  try {
    // Clients look at the first bytes: the order of the members is part of the protocol.
    yield JSON.stringify({
      queryId: rows.kind === 'pull' ? null : rows.queryId,
      columnNames: rows.columns.map((column) => column.name),
      columnTypes: rows.columns.map((column) => printType(column.type)),
      ...(tombstones && rows.removes === true ? { tombstones } : {}),
    });
    for (let batch = await rows.next(); batch !== null; batch = await rows.next())
      for (const [i, row] of batch.rows.entries()) {
        const removed = batch.tombstones?.[i] === true;
        if (removed && !tombstones) continue;
        const cells = texts.map((text, c) => text(row[c] ?? null)).join(',');
        yield removed ? rowObject(cells, true) : `[${cells}]`;
      }
  } catch (error) {
    yield JSON.stringify(errorBody(error));
  } finally {
    await end();
  }
}

async function* linesOf(rows: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of rows) yield `${line}\n`;
}

async function* arrayOf(rows: AsyncIterable<string>): AsyncGenerator<string> {
  let separator = '[';
  for await (const line of rows) {
    yield separator + line;
    separator = ',\n';
  }
  yield ']\n';
}
