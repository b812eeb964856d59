import { SqlError, type Span } from '../../common/error.ts';
import { MAX_PRECISION, type SqlType } from '../../types/sql-type.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { TypeExpression } from '../parser/ast.ts';
import { TABLE_KEY } from '../parser/elsewhere.ts';
import { suggestType } from './suggest.ts';

/** The type that a type expression stands for; user types are looked up. Throws `SqlError`. */
export function resolveType(expression: TypeExpression, catalog: Catalog): SqlType {
  const type = resolve(expression, catalog);
  checkTypeDepth(type, expression.span);
  return type;
}

/** As deep as the parser reads them. */
const LEVELS_MAX = 100;

/** Types may grow from one statement to the next; what walks them recurses. Throws `SqlError`. */
export function checkTypeDepth(type: SqlType, span: Span): void {
  if (depthOf(type) > LEVELS_MAX)
    throw new SqlError(
      'ML_LIMIT',
      `this type is nested too deeply: a type has at most ${LEVELS_MAX} levels`,
      {
        span,
      },
    );
}

function depthOf(type: SqlType): number {
  switch (type.kind) {
    case 'array':
      return 1 + depthOf(type.element);
    case 'map':
      return 1 + Math.max(depthOf(type.key), depthOf(type.value));
    case 'struct':
      return type.fields.reduce((depth, field) => Math.max(depth, 1 + depthOf(field.type)), 1);
    default:
      return 1;
  }
}

/** Throws `SqlError` for a DECIMAL of too many digits. */
export function checkPrecision(type: SqlType, span: Span): void {
  if (type.kind === 'decimal' && type.precision > MAX_PRECISION)
    throw new SqlError(
      'ML_LIMIT',
      `a DECIMAL has at most ${MAX_PRECISION} digits, and this has ${type.precision}`,
      {
        span,
        hint: 'CAST a part of it to a narrower DECIMAL, or to DOUBLE',
      },
    );
}

function resolve(expression: TypeExpression, catalog: Catalog): SqlType {
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
      const type: SqlType = { kind: 'decimal', precision, scale };
      checkPrecision(type, span);
      return type;
    }
    case 'arrayType':
      return { kind: 'array', element: resolve(expression.element, catalog) };
    case 'mapType':
      return {
        kind: 'map',
        key: resolve(expression.key, catalog),
        value: resolve(expression.value, catalog),
      };
    case 'structType': {
      const names = new Set<string>();
      const fields = expression.fields.map((field) => {
        if (names.has(field.name))
          throw new SqlError('ML_SCHEMA', `the struct has two fields named ${field.name}`, {
            span: field.nameSpan,
          });
        names.add(field.name);
        return { name: field.name, type: resolve(field.type, catalog) };
      });
      return { kind: 'struct', fields };
    }
    case 'namedType': {
      const type = catalog.type(expression.name);
      if (type !== undefined) return type;
      const known = [...BUILT_IN, ...catalog.types().map(([name]) => name)];
      throw new SqlError('ML_NAME_UNKNOWN', `type ${expression.name} does not exist`, {
        span: expression.span,
        hint: expression.name === 'KEY' ? TABLE_KEY.hint : suggestType(expression.name, known),
      });
    }
  }
}

const BUILT_IN = [
  'INT',
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
