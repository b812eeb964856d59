import type { SqlType } from './sql-type.ts';

/** The type as SQL text: `STRUCT<A STRING, B ARRAY<INTEGER>>`, with the names of fields as `printName` has them. */
export function printType(type: SqlType, printName = printIdentifier): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'array':
      return `ARRAY<${printType(type.element, printName)}>`;
    case 'map':
      return `MAP<${printType(type.key, printName)}, ${printType(type.value, printName)}>`;
    case 'struct':
      return `STRUCT<${type.fields.map((field) => `${printName(field.name)} ${printType(field.type, printName)}`).join(', ')}>`;
    default:
      return type.kind.toUpperCase();
  }
}

/**
 * A name as people read it: as it is when upper case letters, digits and `_` make it, in back quotes otherwise. In SQL
 * that is parsed again a name may be a keyword too, which only the parser's `printName` knows.
 */
export function printIdentifier(name: string): string {
  return /^[A-Z_][A-Z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}

/** The name in back quotes. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
