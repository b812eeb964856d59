import { SqlError } from '../../common/error.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { TypeExpression } from '../parser/ast.ts';
import { suggestType } from './suggest.ts';

/** The type that a type expression stands for; user types are looked up. Throws `SqlError`. */
export function resolveType(expression: TypeExpression, catalog: Catalog): SqlType {
  switch (expression.kind) {
    case 'primitiveType':
      return { kind: expression.type };
    case 'decimalType': {
      const { precision, scale, span } = expression;
      if (precision < 1)
        throw new SqlError('ML_TYPE', `the precision of a DECIMAL must be at least 1, not ${precision}`, {
          span,
        });
      if (scale > precision)
        throw new SqlError(
          'ML_TYPE',
          `the scale of DECIMAL(${precision}, ${scale}) is larger than its precision`,
          {
            span,
            hint: 'DECIMAL(precision, scale) has precision digits, of which scale stand after the point',
          },
        );
      return { kind: 'decimal', precision, scale };
    }
    case 'arrayType':
      return { kind: 'array', element: resolveType(expression.element, catalog) };
    case 'mapType':
      return {
        kind: 'map',
        key: resolveType(expression.key, catalog),
        value: resolveType(expression.value, catalog),
      };
    case 'structType': {
      const names = new Set<string>();
      const fields = expression.fields.map((field) => {
        if (names.has(field.name))
          throw new SqlError('ML_SCHEMA', `the struct has two fields named ${field.name}`, {
            span: field.nameSpan,
          });
        names.add(field.name);
        return { name: field.name, type: resolveType(field.type, catalog) };
      });
      return { kind: 'struct', fields };
    }
    case 'namedType': {
      const type = catalog.type(expression.name);
      if (type !== undefined) return type;
      const known = [...BUILT_IN, ...catalog.types().map(([name]) => name)];
      throw new SqlError('ML_NAME_UNKNOWN', `type ${expression.name} does not exist`, {
        span: expression.span,
        hint: suggestType(expression.name, known),
      });
    }
  }
}

const BUILT_IN = [
  'BOOLEAN',
  'INTEGER',
  'BIGINT',
  'DOUBLE',
  'DECIMAL',
  'STRING',
  'VARCHAR',
  'BYTES',
  'DATE',
  'TIME',
  'TIMESTAMP',
];
