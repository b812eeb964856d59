import { SqlError, type Span } from '../../common/error.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';

/**
 * Throws `SqlError` for a key column that holds a MAP: two of the same entries may be written in two ways, and keys
 * are compared as they are written.
 */
export function checkKeyType(
  { name, type }: { readonly name: string; readonly type: SqlType },
  span: Span,
): void {
  if (containsMap(type))
    throw new SqlError(
      'ML_SCHEMA',
      `key column ${printIdentifier(name)} of type ${printType(type)} holds a MAP`,
      {
        span,
        hint: 'a MAP cannot be part of a key',
      },
    );
}

function containsMap(type: SqlType): boolean {
  switch (type.kind) {
    case 'map':
      return true;
    case 'array':
      return containsMap(type.element);
    case 'struct':
      return type.fields.some((field) => containsMap(field.type));
    default:
      return false;
  }
}
