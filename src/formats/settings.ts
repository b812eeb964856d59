import { SqlError } from '../common/error.ts';
import { printIdentifier, printType } from '../types/print-type.ts';
import type { Column } from '../types/schema.ts';
import type { SqlTypeKind } from '../types/sql-type.ts';
import type { Format, FormatSettings } from './format.ts';

/** Checks that every property is one that the format knows. Throws `SqlError` ML_FORMAT. */
export function checkProperties(format: Format, settings: FormatSettings): void {
  for (const name of settings.properties.keys())
    if (!format.properties.some((known) => known.name === name))
      throw new SqlError('ML_FORMAT', `format ${format.name} does not know the property ${name}`, {
        hint:
          format.properties.length === 0
            ? `remove it: ${format.name} has no properties`
            : `its properties are ${format.properties.map((known) => known.name).join(', ')}`,
      });
}

/** Checks that every column has one of these kinds of types. Throws `SqlError` ML_FORMAT. */
export function checkKinds(format: Format, columns: readonly Column[], kinds: readonly SqlTypeKind[]): void {
  for (const column of columns)
    if (!kinds.includes(column.type.kind))
      throw new SqlError(
        'ML_FORMAT',
        `format ${format.name} cannot hold column ${printIdentifier(column.name)} of type ${printType(column.type)}`,
        { hint: `it holds ${kinds.map((kind) => kind.toUpperCase()).join(', ')}; JSON holds every type` },
      );
}
