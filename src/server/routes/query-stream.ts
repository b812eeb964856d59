import type { RowStream } from '../../engine/result.ts';
import { jsonText } from '../../types/json-value.ts';
import { printType } from '../../types/print-type.ts';
import { openRows } from '../parse-single.ts';
import { parseStatementRequest } from '../request-body.ts';
import { errorBody } from '../request-error.ts';
import { DELIMITED, KSQL_JSON, PLAIN_JSON, type HttpRequest, type Route, type RouteContext } from '../route.ts';
import { streamedRows } from '../streamed-rows.ts';

/**
 * Rows as they come. Per Accept: lines of JSON, one row a write (clients parse each HTTP chunk by itself), one JSON
 * array, or the array of objects of the older API.
 */
export const queryStreamRoute: Route = {
  method: 'POST',
  path: '/query-stream',
  async handle(request, context) {
    const { text, session } = parseStatementRequest(request.body);
    const rows = await openRows(text, session, context);
    const type = negotiate(request.headers['accept']);
    const body =
      type === KSQL_JSON ? streamedRows(rows, request, context) : rowLines(rows, type === PLAIN_JSON, request, context);
    return { status: 200, headers: { 'content-type': type }, body };
  },
};

function negotiate(accept: string | undefined): string {
  const wanted = accept ?? '';
  if (wanted.includes(DELIMITED)) return DELIMITED;
  if (wanted.includes(KSQL_JSON)) return KSQL_JSON;
  if (wanted.includes(PLAIN_JSON)) return PLAIN_JSON;
  return DELIMITED;
}

async function* rowLines(
  rows: RowStream,
  asArray: boolean,
  request: HttpRequest,
  { running }: RouteContext,
): AsyncGenerator<string> {
  const close = (): Promise<void> => rows.close();
  running.set(rows.queryId, close);
  const abort = (): void => void close().catch(() => undefined);
  request.signal.addEventListener('abort', abort, { once: true });
  const texts = rows.columns.map((column) => jsonText(column.type));
  const separator = asArray ? ',\n' : '\n';
  try {
    const header = JSON.stringify({
      queryId: rows.kind === 'pull' ? null : rows.queryId,
      columnNames: rows.columns.map((column) => column.name),
      columnTypes: rows.columns.map((column) => printType(column.type)),
    });
    yield asArray ? `[${header}` : `${header}\n`;
    for (let batch = await rows.next(); batch !== null; batch = await rows.next())
      for (const [i, row] of batch.rows.entries()) {
        if (batch.tombstones?.[i] === true) continue;
        const line = `[${texts.map((text, c) => text(row[c] ?? null)).join(',')}]`;
        yield asArray ? separator + line : line + separator;
      }
  } catch (error) {
    const line = JSON.stringify(errorBody(error));
    yield asArray ? separator + line : `${line}\n`;
  } finally {
    request.signal.removeEventListener('abort', abort);
    running.delete(rows.queryId);
    await close();
  }
  if (asArray) yield ']\n';
}
