import type { StatementOf } from '../../sql/parser/ast.ts';
import { definedBy, droppedBy } from './names.ts';
import type { StatementCall } from '../engine.ts';
import type { Entity } from '../result.ts';
import { changed } from './answer.ts';

/** DROP of what is not there because its statement could not be replayed gives that up. Null: there is no such thing. */
export async function giveUpDropped(
  statement: StatementOf<'dropSource' | 'dropType' | 'dropFunction'>,
  call: StatementCall,
): Promise<Entity | null> {
  const { engine, replayed } = call;
  const dropped = droppedBy(statement);
  const failed = engine.failedStatements.filter(
    ({ entry }) => entry.statement !== null && definedBy(entry.statement) === dropped,
  );
  if (replayed !== null || failed.length === 0) return null;
  await engine.giveUp(failed, call);
  const what =
    statement.kind === 'dropSource'
      ? `${statement.sourceKind}/\`${statement.name}\``
      : `${statement.kind === 'dropType' ? 'type' : 'function'}/${statement.name}`;
  const text = `${statement.name}, whose statement could not be replayed, was given up`;
  return changed(`${what}/drop`, text, engine.sequence);
}
