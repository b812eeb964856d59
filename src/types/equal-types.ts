import type { SqlType } from './sql-type.ts';

/** Whether two types are the same type: precision and scale, field names and their order count. */
export function equalTypes(a: SqlType, b: SqlType): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'decimal':
      return b.kind === 'decimal' && a.precision === b.precision && a.scale === b.scale;
    case 'array':
      return b.kind === 'array' && equalTypes(a.element, b.element);
    case 'map':
      return b.kind === 'map' && equalTypes(a.key, b.key) && equalTypes(a.value, b.value);
    case 'struct':
      return (
        b.kind === 'struct' &&
        a.fields.length === b.fields.length &&
        a.fields.every((field, i) => {
          const other = b.fields[i]!;
          return field.name === other.name && equalTypes(field.type, other.type);
        })
      );
    default:
      return a.kind === b.kind;
  }
}
