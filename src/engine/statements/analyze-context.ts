import type { AnalyzeContext } from '../../sql/analyzer/analyze-context.ts';
import type { StatementCall } from '../engine.ts';

/** What the analyzer is given about the engine and the session. */
export function analyzeContext({ engine, properties, parsed, replayed }: StatementCall): AnalyzeContext {
  return {
    catalog: engine.catalog,
    functions: engine.functions,
    evaluation: engine.evaluation,
    properties,
    statementText: parsed.resolvedText,
    replayed: replayed !== null,
  };
}
