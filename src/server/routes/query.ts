import { openRows } from '../request-statements.ts';
import { parseStatementRequest } from '../request-body.ts';
import { KSQL_JSON, type Route } from '../route.ts';
import { streamedRows } from '../streamed-rows.ts';

/** ksqlDB's older query endpoint. */
export const queryRoute: Route = {
  method: 'POST',
  path: '/query',
  async handle(request, context) {
    const { text, session } = parseStatementRequest(request.body);
    const rows = await openRows(text, session, context);
    return {
      status: 200,
      headers: { 'content-type': KSQL_JSON },
      body: streamedRows(rows, request, context),
    };
  },
};
