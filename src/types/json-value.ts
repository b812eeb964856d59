import { base64Text } from './base64.ts';
import { doubleText } from './double-text.ts';
import { openPrint } from './print-value.ts';
import type { SqlType } from './sql-type.ts';
import { dateText, timeText, timestampText } from './temporal.ts';
import type { SqlValue } from './value.ts';

/**
 * Compiles the JSON text of values of a type as ksqlDB's REST API gives rows: text, not JavaScript values, so that BIGINT
 * and DECIMAL keep every digit. DECIMAL is a number with its scale, DOUBLE a number as Java prints it (`"NaN"` and the
 * infinities in quotes), BYTES base64, DATE, TIME and TIMESTAMP ISO strings, MAP and STRUCT objects (keys of other
 * types than STRING as their text). Not the JSON format of topics, where temporal values are numbers.
 */
export function jsonText(type: SqlType): (value: SqlValue) => string {
  const inner = innerJsonText(type);
  return (value) => (value === null ? 'null' : inner(value));
}

function innerJsonText(type: SqlType): (value: SqlValue) => string {
  switch (type.kind) {
    case 'string':
      return (value) => JSON.stringify(value as string);
    case 'double':
      return (value) => {
        const text = doubleText(value as number);
        return Number.isFinite(value) ? text : `"${text}"`;
      };
    case 'bytes':
      return (value) => `"${base64Text(value as Uint8Array)}"`;
    case 'date':
      return (value) => `"${dateText(value as number)}"`;
    case 'time':
      return (value) => `"${timeText(value as number)}"`;
    case 'timestamp':
      return (value) => `"${timestampText(value as number)}"`;
    case 'array': {
      const element = jsonText(type.element);
      return (value) => `[${(value as readonly SqlValue[]).map(element).join(',')}]`;
    }
    case 'map': {
      const key = openPrint(type.key);
      const item = jsonText(type.value);
      return (value) =>
        `{${[...(value as ReadonlyMap<SqlValue, SqlValue>)].map(([k, v]) => `${JSON.stringify(key(k))}:${item(v)}`).join(',')}}`;
    }
    case 'struct': {
      const fields = type.fields.map((field) => ({
        name: JSON.stringify(field.name),
        text: jsonText(field.type),
      }));
      return (value) =>
        `{${fields.map((field, i) => `${field.name}:${field.text((value as readonly SqlValue[])[i]!)}`).join(',')}}`;
    }
    default:
      return String;
  }
}
