import type { Session } from '../engine/session.ts';
import type { RowStream } from '../engine/result.ts';
import { type ParsedStatement, parseStatements } from '../sql/parser/parse.ts';
import { unfinished } from '../sql/parser/split-statements.ts';
import { RequestError, statementError } from './request-error.ts';
import type { RouteContext } from './route.ts';

/** All statements of a request; a missing last semicolon is forgiven. Throws `RequestError` 40001. */
export function parseRequest(text: string, session: Session): readonly ParsedStatement[] {
  const complete = unfinished(text) === '' ? text : `${text};`;
  try {
    return parseStatements(complete, session.variables);
  } catch (error) {
    throw statementError(error, complete, []);
  }
}

/** Starts the one SELECT or PRINT of a request. Throws `RequestError`. */
export async function openRows(text: string, session: Session, context: RouteContext): Promise<RowStream> {
  const statements = parseRequest(text, session);
  const statement = statements[0];
  if (statement === undefined || statements.length > 1)
    throw new RequestError(40000, `a query request holds exactly one statement, not ${statements.length}`);
  const { kind } = statement.statement;
  if (kind !== 'query' && kind !== 'printTopic')
    throw new RequestError(40001, 'only SELECT and PRINT give rows; send other statements to /ksql', {
      text: statement.text,
      entities: [],
    });
  try {
    const result = await context.engine.execute(statement, session);
    if (result.kind !== 'rows') throw new RequestError(50000, 'the query gave no rows');
    return result.rows;
  } catch (error) {
    const refusal = statementError(error, statement.text, []);
    // ksqlDB's endpoint says of a push query that the request is bad, of a pull query that the statement is.
    const isPush = statement.statement.kind === 'query' && statement.statement.emit !== null;
    throw isPush && refusal.code === 40001 ? new RequestError(40000, refusal.message) : refusal;
  }
}
