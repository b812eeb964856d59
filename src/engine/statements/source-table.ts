import type { CatalogSource } from '../../sql/catalog/source.ts';
import type { StatementCall } from '../engine.ts';
import { propertyValue } from '../properties.ts';
import type { Entity } from '../result.ts';
import { changed } from './answer.ts';
import { earlierQuery } from './earlier-query.ts';
import { openQuery } from './open-query.ts';
import { ignoreRow, planKeeping } from './plan-query.ts';

/**
 * Whether a query keeps the table's rows, so that pull queries can ask for them. Those of a windowed topic would be
 * asked for by key and window, and are not kept.
 */
export function isMaterialized(source: CatalogSource, properties: ReadonlyMap<string, string>): boolean {
  return (
    source.sourceOnly &&
    source.type === 'table' &&
    source.window === null &&
    propertyValue(properties, 'ksql.source.table.materialization.enabled') !== 'false'
  );
}

/** CREATE SOURCE TABLE: the table, and the query `CST_<name>_<n>` that keeps its rows. It ends with the table. */
export async function createSourceTable(source: CatalogSource, call: StatementCall): Promise<Entity> {
  const { engine } = call;
  const { name } = source;
  const { statement } = call.parsed;
  const identity = engine.nextIdentity(call, `rows of ${name}`);
  const earlier = earlierQuery(call, identity, statement.span, ignoreRow);
  const fresh = planKeeping({ ...source, createdBy: 'CST' }, call);
  // Its rows are a copy of the topic: what is kept of other columns is made anew.
  const isSame = earlier !== null && earlier.kept.query.fingerprint === fresh.stored.fingerprint;
  if (earlier !== null && !isSame) await engine.forgetState(earlier.kept.queryId, earlier.kept.query);
  const run = isSame ? earlier.planned : fresh;
  const { sequence, queryId } = await engine.nameQuery(call, earlier?.kept.queryId, run.stored);
  const table = { ...source, createdBy: queryId };
  // It reads the table from its beginning, and does nothing with it but keep it.
  const query = openQuery(call, queryId, run, [name], null, { offsetReset: 'earliest' });
  const recorded = await engine.record(call, sequence, { query: query.stored });
  await engine.keep(call, identity, query);
  engine.catalog.add(table);
  await engine.addQuery(query, call, recorded, () => engine.catalog.remove(name));
  return changed(`table/\`${name}\`/create`, `Table ${name} created`, sequence, queryId);
}
