import type { Column } from '../types/schema.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { FieldDescription, FieldSchema } from './result.ts';

/** A type as ksqlDB's clients read it. */
export function fieldSchema(type: SqlType): FieldSchema {
  switch (type.kind) {
    case 'array':
      return { type: 'ARRAY', fields: null, memberSchema: fieldSchema(type.element) };
    case 'map':
      return { type: 'MAP', fields: null, memberSchema: fieldSchema(type.value) };
    case 'struct':
      return {
        type: 'STRUCT',
        fields: type.fields.map((field) => fieldDescription(field)),
        memberSchema: null,
      };
    case 'decimal': {
      const { precision, scale } = type;
      return { type: 'DECIMAL', fields: null, memberSchema: null, parameters: { precision, scale } };
    }
    case 'boolean':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'string':
    case 'bytes':
    case 'date':
    case 'time':
    case 'timestamp':
      return { type: type.kind.toUpperCase(), fields: null, memberSchema: null };
  }
}

export function fieldDescription(column: Column, role?: 'KEY' | 'HEADER'): FieldDescription {
  const { name, type } = column;
  return { name, schema: fieldSchema(type), ...(role === undefined ? {} : { type: role }) };
}
