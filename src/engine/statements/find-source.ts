import { SqlError, type Span } from '../../common/error.ts';
import { suggest } from '../../sql/analyzer/suggest.ts';
import type { CatalogSource } from '../../sql/catalog/source.ts';
import type { Engine } from '../engine.ts';

/** The stream or table of that name. Throws `SqlError` ML_NAME_UNKNOWN. */
export function findSource(engine: Engine, name: string, span: Span): CatalogSource {
  const source = engine.catalog.get(name);
  if (source === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `there is no stream or table ${name}`, {
      span,
      hint: suggest(
        name,
        engine.catalog.sources().map((each) => each.name),
        'SHOW STREAMS and SHOW TABLES list them',
      ),
    });
  return source;
}
