import type { Column } from '../../types/schema.ts';
import { BIGINT, INTEGER } from '../../types/sql-type.ts';
import type { CatalogSource } from './source.ts';

/** Where a source's column comes from. */
export type ColumnOrigin =
  | { readonly kind: 'key'; readonly index: number }
  | { readonly kind: 'value'; readonly index: number }
  | { readonly kind: 'header'; readonly headerKey: string | null }
  | { readonly kind: 'rowtime' | 'rowpartition' | 'rowoffset' | 'windowstart' | 'windowend' };

/** A column of the flat row that a source gives. */
export interface SourceColumn extends Column {
  readonly origin: ColumnOrigin;
}

/** The flat row of a source: key, value and header columns in catalog order, then the pseudo columns. */
export function rowOfSource(source: CatalogSource): readonly SourceColumn[] {
  const { key, value, headers } = source.schema;
  return [
    ...key.map((column, index) => ({ ...column, origin: { kind: 'key', index } as const })),
    ...value.map((column, index) => ({ ...column, origin: { kind: 'value', index } as const })),
    ...headers.map(({ name, type, headerKey }) => ({
      name,
      type,
      origin: { kind: 'header', headerKey } as const,
    })),
    { name: 'ROWTIME', type: BIGINT, origin: { kind: 'rowtime' } },
    { name: 'ROWPARTITION', type: INTEGER, origin: { kind: 'rowpartition' } },
    { name: 'ROWOFFSET', type: BIGINT, origin: { kind: 'rowoffset' } },
    ...(source.window === null
      ? []
      : ([
          { name: 'WINDOWSTART', type: BIGINT, origin: { kind: 'windowstart' } },
          { name: 'WINDOWEND', type: BIGINT, origin: { kind: 'windowend' } },
        ] as const)),
  ];
}
