import { SqlError, type Span } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { CatalogSource } from '../catalog/source.ts';
import { suggest } from './suggest.ts';

/** The stream or table that a statement names. Throws `SqlError` ML_NAME_UNKNOWN at `span`, where the name stands. */
export function findSource(
  name: string,
  span: Span,
  { catalog }: { readonly catalog: Pick<Catalog, 'get' | 'sources'> },
): CatalogSource {
  const source = catalog.get(name);
  if (source === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `there is no stream or table ${printIdentifier(name)}`, {
      span,
      hint: suggest(
        name,
        catalog.sources().map((other) => other.name),
        'SHOW STREAMS and SHOW TABLES list them',
      ),
    });
  return source;
}
