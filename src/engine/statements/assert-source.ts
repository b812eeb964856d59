import { SqlError } from '../../common/error.ts';
import { differencesOfSource } from '../../sql/analyzer/analyze-assert-source.ts';
import { message } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { analyzeContext } from './analyze-context.ts';

/** ASSERT STREAM|TABLE: the source exists and is what the statement says of it. */
export const assertSource: EntityStatement<'assertSource'> = {
  effect: 'reads',
  run(statement, call) {
    const { name, nameSpan: span, sourceKind } = statement;
    const source = call.engine.catalog.get(name);
    if (source === undefined) throw new SqlError('ML_ASSERT', `there is no ${sourceKind} ${name}`, { span });
    const differences = differencesOfSource(statement, source, analyzeContext(call));
    if (differences.length > 0)
      throw new SqlError('ML_ASSERT', `${sourceKind} ${name} differs: ${differences.join('; ')}`, {
        span,
        hint: `DESCRIBE ${name} EXTENDED shows it as it is`,
      });
    return message('');
  },
};
