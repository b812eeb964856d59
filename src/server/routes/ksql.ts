import { Turns } from '../../common/clock.ts';
import type { Entity } from '../../engine/result.ts';
import { rowsOf } from '../../engine/statements/statements.ts';
import { parseRequest } from '../request-statements.ts';
import { parseStatementRequest } from '../request-body.ts';
import { RequestError, statementError } from '../request-error.ts';
import { json, type Route } from '../route.ts';

/** Statements other than queries: an entity each, in order. The first that fails ends the request. */
export const ksqlRoute: Route = {
  method: 'POST',
  path: '/ksql',
  async handle(request, context) {
    const { engine } = context;
    const { text, session } = parseStatementRequest(request.body);
    const statements = await parseRequest(text, session, context);
    const turns = new Turns(engine.options.clock);
    const entities: object[] = [];
    for (const statement of statements) {
      if (rowsOf(statement.statement) !== null)
        throw new RequestError(40002, 'SELECT and PRINT go to /query-stream, /query or /ws/query', {
          text: statement.text,
          entities,
        });
      try {
        const result = await engine.execute(statement, session);
        if (result.kind === 'entity' && isAnswer(result.entity)) {
          const { '@type': type, ...members } = result.entity;
          entities.push({ '@type': type, statementText: statement.text, ...members, warnings: [] });
        }
      } catch (error) {
        throw statementError(error, statement.text, entities);
      }
      if (turns.over) await turns.next();
    }
    return json(entities);
  },
};

/** ksqlDB answers INSERT VALUES, SET and the like with nothing. */
function isAnswer(entity: Entity): boolean {
  return entity['@type'] !== 'message';
}
