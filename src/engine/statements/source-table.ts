import type { CatalogSource } from '../../sql/catalog/source.ts';
import type { StatementCall } from '../engine.ts';
import { propertyValue } from '../properties.ts';
import type { Entity } from '../result.ts';
import { forgetState } from '../query-application.ts';
import { nextIdentity } from '../script-queries.ts';
import { changed } from './answer.ts';
import { beginQuery } from './begin-query.ts';
import { earlierQuery } from './earlier-query.ts';
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
  const identity = nextIdentity(call, `rows of ${name}`);
  const earlier = earlierQuery(call, identity, statement.span, ignoreRow);
  const fresh = planKeeping({ ...source, createdBy: 'CST' }, call);
  // Its rows are a copy of the topic: what is kept of other columns is made anew.
  const isSame = earlier !== null && earlier.kept.query.fingerprint === fresh.stored.fingerprint;
  if (earlier !== null && !isSame) await forgetState(engine, earlier.kept.queryId, earlier.kept.query);
  const run = isSame ? earlier.planned : fresh;
  const { sequence, queryId } = await beginQuery(call, {
    run,
    identity,
    given: earlier?.kept.queryId,
    // It reads the table from its beginning, and does nothing with it but keep it.
    reads: [name],
    sink: null,
    options: { offsetReset: 'earliest' },
    define(createdBy) {
      engine.catalog.add({ ...source, createdBy });
      return () => engine.catalog.remove(name);
    },
  });
  return changed(`table/\`${name}\`/create`, `Table ${name} created`, sequence, queryId);
}
