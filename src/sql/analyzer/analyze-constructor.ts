import { SqlError, type Span } from '../../common/error.ts';
import { commonType } from '../../types/implicit-cast.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { cast, guard } from './cast-expression.ts';
import type { ExpressionAnalysis } from './expression-context.ts';
import { bend } from './literal.ts';

/** ARRAY[…], MAP(…) and STRUCT(…). */
export function analyzeConstructor(
  analysis: ExpressionAnalysis,
  node: ast.ArrayConstructor | ast.MapConstructor | ast.StructConstructor,
): Expression {
  switch (node.kind) {
    case 'array': {
      const { items, type } = unify(analysis, node.items, 'ARRAY', node.span);
      return { kind: 'array', type: { kind: 'array', element: type }, items: items.map(guard) };
    }
    case 'map': {
      const keys = unify(
        analysis,
        node.entries.map((entry) => entry.key),
        'MAP',
        node.span,
      );
      const values = unify(
        analysis,
        node.entries.map((entry) => entry.value),
        'MAP',
        node.span,
      );
      const entries = keys.items.map((key, i) => ({ key: guard(key), value: guard(values.items[i]!) }));
      return { kind: 'map', type: { kind: 'map', key: keys.type, value: values.type }, entries };
    }
    case 'struct': {
      const names = new Set<string>();
      const fields = node.fields.map((field) => {
        if (names.has(field.name))
          throw new SqlError('ML_SCHEMA', `the struct has two fields named ${printIdentifier(field.name)}`, {
            span: field.nameSpan,
          });
        names.add(field.name);
        return { name: field.name, expression: guard(analysis.analyze(field.value)) };
      });
      return {
        kind: 'struct',
        type: {
          kind: 'struct',
          fields: fields.map(({ name, expression }) => ({ name, type: expression.type })),
        },
        fields: fields.map((field) => field.expression),
      };
    }
  }
}

/** Items of a constructor in one type: the first one that is not NULL decides, numbers widen, literals bend. */
function unify(
  analysis: ExpressionAnalysis,
  nodes: readonly ast.Expression[],
  what: string,
  span: Span,
): { items: Expression[]; type: SqlType } {
  const analyzed = nodes.map((node) => (node.kind === 'null' ? null : analysis.analyze(node)));
  const known = analyzed.filter((item) => item !== null);
  if (known.length === 0)
    throw new SqlError('ML_TYPE', `${what} needs at least one item that is not NULL`, {
      span,
      hint: 'its type follows from its items',
    });
  let type: SqlType = known[0]!.type;
  const bent = analyzed.map((item, i) => {
    if (item === null) return null;
    const other = bend(item, nodes[i]!, type);
    const common = commonType(type, other.type);
    if (common === null)
      throw new SqlError(
        'ML_TYPE',
        `the items of ${what} must have one type, and ${printType(other.type)} is not ${printType(type)}`,
        {
          span: nodes[i]!.span,
          hint: `CAST(… AS ${printType(type)})`,
        },
      );
    type = common;
    return other;
  });
  const items = bent.map((item): Expression =>
    item === null ? { kind: 'literal', type, value: null } : cast(item, type),
  );
  return { items, type };
}
