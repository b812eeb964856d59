import type { Session } from '../engine/session.ts';
import type { RowStream } from '../engine/result.ts';
import { rowsOf } from '../engine/statements/statements.ts';
import { Turns } from '../common/clock.ts';
import { SqlError } from '../common/error.ts';
import { eachStatement, type ParsedStatement } from '../sql/parser/parse.ts';
import { type StatementText, statementTexts } from '../sql/parser/split-statements.ts';
import { RequestError, statementError } from './request-error.ts';
import type { RouteContext } from './route.ts';

/**
 * All statements of a request; a missing last semicolon is forgiven. One that cannot be read refuses all of them, and so
 * do more than allowed, before any is parsed. Others have their turn meanwhile. Throws `RequestError` 40001, 40003.
 */
export async function parseRequest(
  text: string,
  session: Session,
  { engine, limits }: RouteContext,
): Promise<readonly ParsedStatement[]> {
  const turns = new Turns(engine.options.clock);
  const pieces: StatementText[] = [];
  const texts = statementTexts(text);
  let rest = '';
  for (let each = texts.next(); ; each = texts.next()) {
    if (each.done === true) {
      rest = each.value;
      break;
    }
    pieces.push(each.value);
    if (pieces.length > limits.statements) throw tooMany(limits.statements);
    if (turns.over) await turns.next();
  }
  if (rest !== '') pieces.push({ text: `${rest};`, start: text.length - rest.length });
  if (pieces.length > limits.statements) throw tooMany(limits.statements);

  const parsed: ParsedStatement[] = [];
  const variables = new Map(session.variables);
  for (const piece of pieces) {
    try {
      for (const statement of eachStatement(piece.text, variables)) parsed.push(statement);
    } catch (error) {
      throw statementError(movedBy(piece.start, error), rest === '' ? text : `${text};`, []);
    }
    if (turns.over) await turns.next();
  }
  return parsed;
}

function tooMany(max: number): RequestError {
  return new RequestError(
    40003,
    `the request has more than ${max} statements, of which none has been run; send them in several requests, ` +
      'or start the server with a higher --limit statements=…',
  );
}

/** The same mistake, with its place in the whole of which the statement is a part. */
function movedBy(start: number, error: unknown): unknown {
  if (!(error instanceof SqlError) || error.span === undefined) return error;
  const { code, message, hint } = error;
  const span = { start: error.span.start + start, end: error.span.end + start };
  return new SqlError(code, message, { span, hint });
}

/** Starts the one SELECT or PRINT of a request. Throws `RequestError`. */
export async function openRows(text: string, session: Session, context: RouteContext): Promise<RowStream> {
  const statements = await parseRequest(text, session, context);
  const statement = statements[0];
  if (statement === undefined || statements.length > 1)
    throw new RequestError(40000, `a query request holds exactly one statement, not ${statements.length}`);
  const expected = rowsOf(statement.statement);
  if (expected === null)
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
    throw expected.kind === 'push' && refusal.code === 40001
      ? new RequestError(40000, refusal.message)
      : refusal;
  }
}
