import { analyzeQuery } from '../sql/analyzer/analyze-query.ts';
import type { AnalyzeContext } from '../sql/analyzer/analyze-context.ts';
import type { StatementOf } from '../sql/parser/ast.ts';
import { buildPushPlan } from '../sql/plan/build-plan.ts';
import type { StatementCall } from './engine.ts';
import { lowerPlan, optimizePlan } from './planning.ts';
import { PushQuery } from './push-query.ts';
import type { RowStream } from './result.ts';

/** SELECT without EMIT on a stream: everything from its beginning to where it ends now. */
export async function pullStream(
  statement: StatementOf<'query'>,
  call: StatementCall,
  context: AnalyzeContext,
): Promise<RowStream> {
  const { engine, properties, parsed } = call;
  const analyzed = analyzeQuery(statement, context);
  const { after } = optimizePlan(engine, buildPushPlan(analyzed), properties);
  const queryId = engine.transientId('PULL');
  const rows = new PushQuery(
    {
      kind: 'pull',
      removes: false,
      queryId,
      statementText: parsed.resolvedText,
      columns: analyzed.select.map(({ name, type }) => ({ name, type, isKey: false })),
      limit: statement.limit,
    },
    (push) => lowerPlan(engine, after, properties, push),
    { ...engine.streamsOptions(queryId, properties), offsetReset: 'earliest' },
    engine.rowBudget,
    () => {
      engine.pushQueries.delete(queryId);
      engine.openQueries.delete(queryId);
    },
  );
  engine.openQueries.add(queryId);
  engine.pushQueries.set(queryId, rows);
  try {
    await rows.start();
  } catch (error) {
    await rows.close();
    throw error;
  }
  return rows;
}
