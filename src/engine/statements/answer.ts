import type { StatementCall } from '../engine.ts';
import type { Entity, StatementResult } from '../result.ts';
import type { StatementKind, StatementOf } from '../../sql/parser/ast.ts';

/** Executes one kind of statement. Rejects with `SqlError` before anything has changed. */
export type StatementHandler<K extends StatementKind> = (
  statement: StatementOf<K>,
  call: StatementCall,
) => Promise<StatementResult> | StatementResult;

export function answer(entity: Entity): StatementResult {
  return { kind: 'entity', entity };
}

/** A sentence, where there is nothing to show. */
export function message(text: string): StatementResult {
  return answer({ '@type': 'message', message: text });
}

/** What ksqlDB answers to statements that change the catalog. */
export function changed(
  commandId: string,
  text: string,
  sequence: number,
  queryId: string | null = null,
): StatementResult {
  return answer({
    '@type': 'currentStatus',
    commandId,
    commandStatus: { status: 'SUCCESS', message: text, queryId },
    commandSequenceNumber: sequence,
  });
}
