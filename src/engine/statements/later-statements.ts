import type { StatementOf } from '../../sql/parser/ast.ts';
import type { Script } from '../script.ts';

/** What a script says about its running statement elsewhere. */

/** Whether the source that the running statement makes is replaced by a later one, which has the last word about it. */
export function isReplacedLater({ statements, index }: Script, name: string): boolean {
  for (const { statement } of statements.slice(index + 1)) {
    if (!('name' in statement) || statement.name !== name) continue;
    if (statement.kind === 'dropSource') return false;
    if (statement.kind === 'createSourceAs' && statement.orReplace) return true;
  }
  return false;
}

/** Later statements that add columns to the source that the running one makes, until another one takes its name. */
export function altersLater(
  { statements, index }: Script,
  name: string,
): readonly StatementOf<'alterSource'>[] {
  const alters: StatementOf<'alterSource'>[] = [];
  for (const { statement } of statements.slice(index + 1)) {
    if (!('name' in statement) || statement.name !== name) continue;
    if (statement.kind === 'alterSource') alters.push(statement);
    else if (['createSource', 'createSourceAs', 'dropSource'].includes(statement.kind)) break;
  }
  return alters;
}

/** How many statements before the running one are INSERT INTO … SELECT into the same stream without a QUERY_ID. */
export function insertPlace({ statements, index }: Script, target: string): number {
  return statements
    .slice(0, index)
    .filter(
      ({ statement }) =>
        statement.kind === 'insertSelect' &&
        statement.target === target &&
        !statement.properties.some(({ name }) => name === 'QUERY_ID'),
    ).length;
}
