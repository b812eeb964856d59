import { openRows } from '../request-statements.ts';
import { parseStatementRequest } from '../request-body.ts';
import { DELIMITED, KSQL_JSON, PLAIN_JSON, type Route } from '../route.ts';
import { rowLines } from '../row-lines.ts';
import { streamedRows } from '../streamed-rows.ts';

/**
 * Rows as they come. Per Accept: lines of JSON, one row a write (clients parse each HTTP chunk by itself), one JSON
 * array, or the array of objects of the older API.
 */
export const queryStreamRoute: Route = {
  method: 'POST',
  path: '/query-stream',
  async handle(request, context) {
    const { text, session, tombstones } = parseStatementRequest(request.body);
    const rows = await openRows(text, session, context);
    const type = negotiate(request.headers['accept']);
    const body =
      type === KSQL_JSON
        ? streamedRows(rows, request, context)
        : rowLines(rows, { asArray: type === PLAIN_JSON, tombstones }, request, context);
    return { status: 200, headers: { 'content-type': type }, body };
  },
};

/** Lines unless only something else is wanted: clients that send nothing, or anything, expect them. */
export function negotiate(accept: string | undefined): string {
  const wanted = accept?.toLowerCase() ?? '';
  return [DELIMITED, KSQL_JSON, PLAIN_JSON].find((type) => wanted.includes(type)) ?? DELIMITED;
}
