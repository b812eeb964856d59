import { SqlError } from '../../common/error.ts';
import { printName } from '../../sql/parser/names.ts';
import type { Catalog } from '../../sql/catalog/catalog.ts';
import { type ParsedStatement, parseStatements } from '../../sql/parser/parse.ts';
import type { Engine } from '../engine.ts';
import { newSession } from '../session.ts';
import { queryIdOf } from './names.ts';

/**
 * Statements that take back what a script's statements have made in earlier runs, the last first: queries, streams, tables,
 * types and functions. Topics stay. What others use is refused when they run, and says by whom.
 */
export function dropsOf(statements: readonly ParsedStatement[], catalog: Catalog): readonly string[] {
  const drops = new Set<string>();
  for (const { statement } of [...statements].reverse()) {
    switch (statement.kind) {
      case 'insertSelect': {
        const given = statement.properties.some(({ name }) => name === 'QUERY_ID');
        const isOfIt = (id: string): boolean =>
          given ? id === queryIdOf(statement, 0) : id.startsWith('INSERTQUERY_');
        for (const id of catalog.writersOf(statement.target))
          if (isOfIt(id)) drops.add(`TERMINATE ${printName(id)};`);
        break;
      }
      case 'createSource':
      case 'createSourceAs': {
        const { name } = statement;
        const type = (catalog.get(name)?.type ?? statement.sourceKind).toUpperCase();
        drops.add(`DROP ${type} IF EXISTS ${printName(name)};`);
        break;
      }
      case 'createType':
        drops.add(`DROP TYPE IF EXISTS ${printName(statement.name)};`);
        break;
      case 'createFunction':
        drops.add(`DROP FUNCTION IF EXISTS ${printName(statement.name)};`);
        break;
      default:
        break;
    }
  }
  return [...drops];
}

/** Runs them. */
export async function dropMadeBy(statements: readonly ParsedStatement[], engine: Engine): Promise<void> {
  for (const sql of dropsOf(statements, engine.catalog))
    try {
      for (const parsed of parseStatements(sql)) await engine.execute(parsed, newSession());
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      // It was not written by the user, so it has no place to show.
      throw new SqlError(error.code, `the script cannot begin anew: ${error.message}`, { hint: error.hint });
    }
}
