import { base64Text } from './base64.ts';
import { doubleText } from './double-text.ts';
import { hashOrder } from './map-order.ts';
import type { SqlType } from './sql-type.ts';
import { dateText, timeText, timestampText } from './temporal.ts';
import type { SqlValue } from './value.ts';

/**
 * Compiles the text of values of a type as `CAST(… AS STRING)` gives it: `[1, 2]`, `{a=1}`, `Struct{A=1,B=2}` (null
 * fields left out, as Kafka Connect prints structs), doubles as Java prints them, DECIMAL with its scale. Null is
 * `null`, also within collections; strings within collections are not quoted. BYTES, which SQL does not cast, are base64.
 */
export function openPrint(type: SqlType): (value: SqlValue) => string {
  const inner = openInnerPrint(type);
  return (value) => (value === null ? 'null' : inner(value));
}

/** One value as text; `openPrint` for many. */
export function printValue(type: SqlType, value: SqlValue): string {
  return openPrint(type)(value);
}

function openInnerPrint(type: SqlType): (value: SqlValue) => string {
  switch (type.kind) {
    case 'string':
      return (value) => value as string;
    case 'double':
      return (value) => doubleText(value as number);
    case 'bytes':
      return (value) => base64Text(value as Uint8Array);
    case 'date':
      return (value) => dateText(value as number);
    case 'time':
      return (value) => timeText(value as number);
    case 'timestamp':
      return (value) => timestampText(value as number);
    case 'array': {
      const element = openPrint(type.element);
      return (value) => `[${(value as readonly SqlValue[]).map(element).join(', ')}]`;
    }
    case 'map': {
      const key = openPrint(type.key);
      const item = openPrint(type.value);
      return (value) =>
        `{${hashOrder(value as ReadonlyMap<SqlValue, SqlValue>)
          .map(([k, v]) => `${key(k)}=${item(v)}`)
          .join(', ')}}`;
    }
    case 'struct': {
      const fields = type.fields.map((field) => ({ name: field.name, print: openPrint(field.type) }));
      return (value) => {
        const values = value as readonly SqlValue[];
        const parts = fields.flatMap((field, i) =>
          values[i] === null ? [] : [`${field.name}=${field.print(values[i]!)}`],
        );
        return `Struct{${parts.join(',')}}`;
      };
    }
    default:
      return String;
  }
}
