import { DataError, SqlError, type Span } from '../../common/error.ts';
import type { AggregateFunction, FunctionRegistry, TableFunction } from '../../functions/function.ts';
import { type ArgumentType, resolveScalar } from '../../functions/resolve.ts';
import { parseBigint, parseInteger } from '../../types/bigint.ts';
import { openCast } from '../../types/cast.ts';
import { openComparison } from '../../types/compare-values.ts';
import { Decimal } from '../../types/decimal.ts';
import { equalTypes } from '../../types/equal-types.ts';
import {
  arithmeticType,
  asDecimalType,
  canWiden,
  commonType,
  commonTypeOf,
  isNumeric,
} from '../../types/implicit-cast.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, STRING, TIMESTAMP, type SqlType } from '../../types/sql-type.ts';
import { parseTimestamp } from '../../types/temporal.ts';
import type { SqlValue } from '../../types/value.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ComparisonOperator, Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { resolveType } from './resolve-type.ts';
import type { Scope } from './scope.ts';
import { suggest } from './suggest.ts';

/** Where an expression stands: what it may name, and what may stand in it. */
export interface ExpressionContext {
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly scope: Scope;
  /** Which clause, for messages: `WHERE`, `SELECT`, … */
  readonly clause: string;
  /** Takes over an aggregate call; undefined where aggregates may not stand. */
  readonly aggregate?: (call: ast.FunctionCall, fn: AggregateFunction) => Expression;
  /** Takes over a call of a table function; undefined where they may not stand. */
  readonly table?: (call: ast.FunctionCall, fn: TableFunction) => Expression;
  /** Where each column was named, for messages about columns that turn out not to be allowed. */
  readonly spans?: Map<Expression, Span>;
}

/** Resolves and types an expression. Throws `SqlError` at the part that is wrong. */
export function analyzeExpression(node: ast.Expression, context: ExpressionContext): Expression {
  return new Analysis(context).analyze(node);
}

/** The same, brought to a type as a literal, argument or assigned value may be. */
export function analyzeAs(node: ast.Expression, type: SqlType, context: ExpressionContext): Expression {
  const analysis = new Analysis(context);
  return analysis.coerce(analysis.analyzeOrNull(node, type), node, type, `${context.clause} needs`);
}

/** The same, for a condition: its type is BOOLEAN. */
export function analyzeCondition(node: ast.Expression, context: ExpressionContext): Expression {
  const condition = analyzeExpression(node, context);
  if (condition.type.kind !== 'boolean')
    throw new SqlError(
      'ML_TYPE',
      `${context.clause} needs a BOOLEAN, and this is ${printType(condition.type)}`,
      {
        span: node.span,
        hint: 'compare it with something',
      },
    );
  return condition;
}

/** The type and value of a literal, or undefined for any other expression. NULL has no type. */
export function literalValue(node: ast.Expression): { type: SqlType | null; value: SqlValue } | undefined {
  switch (node.kind) {
    case 'null':
      return { type: null, value: null };
    case 'boolean':
      return { type: BOOLEAN, value: node.value };
    case 'integer':
      return { type: INTEGER, value: node.value };
    case 'bigint':
      return { type: BIGINT, value: node.value };
    case 'double':
      return { type: DOUBLE, value: node.value };
    case 'string':
      return { type: STRING, value: node.value };
    case 'decimal': {
      const value = Decimal.parse(node.text);
      return { type: decimalTypeOf(value), value };
    }
    default:
      return undefined;
  }
}

const COMPARISONS: Readonly<Record<ast.ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  'IS DISTINCT FROM': 'is-distinct',
  'IS NOT DISTINCT FROM': 'is-not-distinct',
};

const TIME_COLUMNS: ReadonlySet<string> = new Set(['ROWTIME', 'WINDOWSTART', 'WINDOWEND']);

const INTERVAL_UNITS: ReadonlySet<string> = new Set(
  ['MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR'].flatMap((unit) => [
    unit,
    `${unit}S`,
  ]),
);

/** Parts of an expression that ksqlDB guards on their own as arguments (§2.3 of its evaluation rules). */
const GUARDED_ARGUMENTS: ReadonlySet<ast.ExpressionKind> = new Set([
  'call',
  'fieldAccess',
  'subscript',
  'concatenation',
] as const);

class Analysis {
  readonly #context: ExpressionContext;
  /** Parameters of the lambdas around, innermost last. */
  readonly #parameters: { name: string; id: number; type: SqlType }[] = [];
  #nextId = 0;

  constructor(context: ExpressionContext) {
    this.#context = context;
  }

  /** As `analyze`, but NULL becomes a null of the type that its surroundings need. */
  analyzeOrNull(node: ast.Expression, type: SqlType): Expression {
    return node.kind === 'null' ? { kind: 'literal', type, value: null } : this.analyze(node);
  }

  analyze(node: ast.Expression): Expression {
    switch (node.kind) {
      case 'null':
        throw new SqlError('ML_TYPE', 'NULL has no type here', {
          span: node.span,
          hint: 'give it one, for example CAST(NULL AS STRING)',
        });
      case 'boolean':
      case 'integer':
      case 'bigint':
      case 'double':
      case 'string':
      case 'decimal': {
        const { type, value } = literalValue(node)!;
        return { kind: 'literal', type: type!, value };
      }
      case 'column':
        return this.#column(node);
      case 'fieldAccess':
        return this.#field(node);
      case 'subscript':
        return this.#subscript(node);
      case 'call':
        return this.#call(node);
      case 'lambda':
        throw new SqlError('ML_TYPE', 'a lambda can only be an argument of a function', { span: node.span });
      case 'unary': {
        const operand = this.analyze(node.operand);
        if (!isNumeric(operand.type))
          throw new SqlError(
            'ML_TYPE',
            `${node.operator} needs a number, and this is ${printType(operand.type)}`,
            {
              span: node.operand.span,
            },
          );
        return node.operator === '+' ? operand : { kind: 'negate', type: operand.type, operand };
      }
      case 'arithmetic':
        return this.#arithmetic(node);
      case 'concatenation':
        return this.#scalarCall('CONCAT', [node.left, node.right], node.span, node.span);
      case 'atTimeZone':
        throw new SqlError('ML_UNSUPPORTED', 'AT TIME ZONE is not available', {
          span: node.span,
          hint: 'use CONVERT_TZ(timestamp, from, to)',
        });
      case 'comparison':
        return this.#comparison(node.operator, node.left, node.right, node.span);
      case 'isNull':
        return {
          kind: 'is-null',
          type: BOOLEAN,
          operand: this.analyzeOrNull(node.operand, STRING),
          negated: node.negated,
        };
      case 'between': {
        const lower = this.#comparison('>=', node.operand, node.lower, node.span);
        const upper = this.#comparison('<=', node.operand, node.upper, node.span);
        const both: Expression = {
          kind: 'logical',
          type: BOOLEAN,
          operator: 'and',
          left: lower,
          right: upper,
        };
        return node.negated ? { kind: 'not', type: BOOLEAN, operand: both } : both;
      }
      case 'in':
        return this.#in(node);
      case 'like': {
        const operand = this.#text(node.operand, 'LIKE');
        const pattern = this.#text(node.pattern, 'LIKE');
        if (node.escape !== null && node.escape.length !== 1)
          throw new SqlError('ML_TYPE', 'ESCAPE needs exactly one character', { span: node.span });
        return { kind: 'like', type: BOOLEAN, operand, pattern, escape: node.escape, negated: node.negated };
      }
      case 'not':
        return { kind: 'not', type: BOOLEAN, operand: this.#boolean(node.operand, 'NOT') };
      case 'logical':
        return {
          kind: 'logical',
          type: BOOLEAN,
          operator: node.operator === 'AND' ? 'and' : 'or',
          left: this.#boolean(node.left, node.operator),
          right: this.#boolean(node.right, node.operator),
        };
      case 'case':
        return this.#case(node);
      case 'cast': {
        const type = resolveType(node.type, this.#context.catalog);
        return this.#explicitCast(node.operand, type, node.span);
      }
      case 'array': {
        const { items, type } = this.#unify(node.items, 'ARRAY', node.span);
        return { kind: 'array', type: { kind: 'array', element: type }, items: items.map(guard) };
      }
      case 'map': {
        const keys = this.#unify(
          node.entries.map((entry) => entry.key),
          'MAP',
          node.span,
        );
        const values = this.#unify(
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
            throw new SqlError(
              'ML_SCHEMA',
              `the struct has two fields named ${printIdentifier(field.name)}`,
              {
                span: field.nameSpan,
              },
            );
          names.add(field.name);
          return { name: field.name, expression: guard(this.analyze(field.value)) };
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

  #column(node: ast.ColumnReference): Expression {
    if (node.source === null) {
      const parameter = this.#parameters.findLast((each) => each.name === node.name);
      if (parameter !== undefined) return { kind: 'parameter', type: parameter.type, id: parameter.id };
    }
    const { type, index } = this.#context.scope.resolve(node.source, node.name, node.span);
    const column: Expression = { kind: 'column', type, index };
    this.#context.spans?.set(column, node.span);
    return column;
  }

  #field(node: ast.FieldAccess): Expression {
    const operand = this.analyze(node.base);
    if (operand.type.kind !== 'struct')
      throw new SqlError('ML_TYPE', `-> needs a STRUCT, and this is ${printType(operand.type)}`, {
        span: node.base.span,
      });
    const { fields } = operand.type;
    const index = fields.findIndex((field) => field.name === node.field);
    if (index < 0)
      throw new SqlError('ML_NAME_UNKNOWN', `the struct has no field ${printIdentifier(node.field)}`, {
        span: node.fieldSpan,
        hint: suggest(
          node.field,
          fields.map((field) => field.name),
          `its fields are ${fields.map((field) => printIdentifier(field.name)).join(', ')}`,
        ),
      });
    return { kind: 'field', type: fields[index]!.type, operand, index };
  }

  #subscript(node: ast.Subscript): Expression {
    const operand = this.analyze(node.base);
    if (operand.type.kind === 'array') {
      const index = this.analyzeOrNull(node.index, INTEGER);
      if (index.type.kind !== 'integer' && index.type.kind !== 'bigint')
        throw new SqlError(
          'ML_TYPE',
          `an array subscript must be a whole number, not ${printType(index.type)}`,
          {
            span: node.index.span,
          },
        );
      return { kind: 'subscript', type: operand.type.element, operand, index };
    }
    if (operand.type.kind === 'map') {
      const { key, value } = operand.type;
      const index = this.coerce(this.analyzeOrNull(node.index, key), node.index, key, 'the map key must be');
      return { kind: 'subscript', type: value, operand, index };
    }
    throw new SqlError(
      'ML_TYPE',
      `a subscript needs an ARRAY or MAP, and this is ${printType(operand.type)}`,
      {
        span: node.base.span,
        ...(operand.type.kind === 'struct' ? { hint: 'fields of a STRUCT are read with ->' } : {}),
      },
    );
  }

  #arithmetic(node: ast.Arithmetic): Expression {
    for (const side of [node.left, node.right])
      if (side.kind === 'null')
        throw new SqlError('ML_TYPE', `${node.operator} with NULL has no value`, {
          span: side.span,
          hint: 'use a column or a number',
        });
    const left = this.analyze(node.left);
    const right = this.analyze(node.right);
    const { operator } = node;
    const type = arithmeticType(operator, left.type, right.type);
    if (type === null)
      throw new SqlError(
        'ML_TYPE',
        `${operator} does not work on ${printType(left.type)} and ${printType(right.type)}`,
        {
          span: node.span,
          hint:
            left.type.kind === 'string' || right.type.kind === 'string'
              ? 'CAST the text to a number, or join texts with ||'
              : 'arithmetic needs numbers',
        },
      );
    if (type.kind === 'string') return { kind: 'arithmetic', type, operator, left, right };
    const bring = (operand: Expression): Expression =>
      cast(operand, type.kind === 'decimal' ? asDecimalType(operand.type)! : type);
    return { kind: 'arithmetic', type, operator, left: bring(left), right: bring(right) };
  }

  #comparison(
    operator: ast.ComparisonOperator,
    leftNode: ast.Expression,
    rightNode: ast.Expression,
    span: Span,
  ): Expression {
    for (const side of [leftNode, rightNode])
      if (side.kind === 'null')
        throw new SqlError('ML_TYPE', `${operator} NULL is never true`, {
          span: side.span,
          hint: 'use IS NULL or IS NOT NULL',
        });
    const [left, right] = this.#comparable(
      operator,
      this.analyze(leftNode),
      leftNode,
      this.analyze(rightNode),
      rightNode,
      span,
    );
    return { kind: 'comparison', type: BOOLEAN, operator: COMPARISONS[operator], left, right };
  }

  /** Both operands in one type that the operator can compare. */
  #comparable(
    operator: string,
    left: Expression,
    leftNode: ast.Expression,
    right: Expression,
    rightNode: ast.Expression,
    span: Span,
  ): [Expression, Expression] {
    const one = this.#comparisonSide(left, leftNode, right, rightNode);
    const other = this.#comparisonSide(right, rightNode, left, leftNode);
    const type = comparisonType(one.type, other.type);
    const ordered = operator !== '=' && operator !== '<>' && !operator.startsWith('IS');
    if (type === null || (ordered && openComparison(type, type) === null))
      throw new SqlError(
        'ML_TYPE',
        `${operator} cannot compare ${printType(left.type)} with ${printType(right.type)}`,
        {
          span,
          hint: type === null ? 'CAST one side to the type of the other' : 'these types know only = and <>',
        },
      );
    return [cast(one, type), cast(other, type)];
  }

  /** A text literal beside a time column or bytes is read as such. */
  #comparisonSide(
    side: Expression,
    node: ast.Expression,
    other: Expression,
    otherNode: ast.Expression,
  ): Expression {
    if (node.kind !== 'string') return side;
    if (otherNode.kind === 'column' && TIME_COLUMNS.has(otherNode.name) && other.type.kind === 'bigint')
      return { kind: 'literal', type: BIGINT, value: attempt(() => parseTimestamp(node.value), node.span) };
    if (other.type.kind === 'bytes') return fold(side, other.type, node.span) ?? side;
    if (isTemporal(other.type)) return fold(side, other.type, node.span) ?? side;
    return side;
  }

  #in(node: ast.InList): Expression {
    const operand = this.analyze(node.operand);
    const present = node.items.filter((item) => item.kind !== 'null');
    if (present.length === 0)
      throw new SqlError('ML_TYPE', 'IN needs at least one value that is not NULL', { span: node.span });
    const items = present.map((item): Expression => {
      const analyzed = this.#comparisonSide(this.analyze(item), item, operand, node.operand);
      return bend(analyzed, item, operand.type);
    });
    let type: SqlType = operand.type;
    items.forEach((item, i) => {
      const common = comparisonType(type, item.type);
      if (common === null)
        throw new SqlError(
          'ML_TYPE',
          `IN cannot compare ${printType(operand.type)} with ${printType(item.type)}`,
          {
            span: present[i]!.span,
            hint: 'CAST one side to the type of the other',
          },
        );
      type = common;
    });
    return {
      kind: 'in',
      type: BOOLEAN,
      operand: cast(operand, type),
      items: items.map((item) => cast(item, type)),
      negated: node.negated,
    };
  }

  #case(node: ast.Case): Expression {
    const results = [
      ...node.branches.map((branch) => branch.result),
      ...(node.otherwise === null ? [] : [node.otherwise]),
    ];
    let type: SqlType | null = null;
    const analyzed = results.map((result) => {
      if (result.kind === 'null') return null;
      const expression = this.analyze(result);
      if (type === null) type = expression.type;
      else if (!equalTypes(type, expression.type))
        throw new SqlError(
          'ML_TYPE',
          `the results of CASE must have one type, and ${printType(expression.type)} is not ${printType(type)}`,
          { span: result.span, hint: `CAST(… AS ${printType(type)})` },
        );
      return expression;
    });
    if (type === null)
      throw new SqlError('ML_TYPE', 'CASE has only NULL results, so it has no type', {
        span: node.span,
        hint: 'CAST one of them to the type you need',
      });
    const resultType: SqlType = type;
    const withType = (expression: Expression | null): Expression =>
      expression ?? { kind: 'literal', type: resultType, value: null };
    const branches = node.branches.map((branch, i) => ({
      when:
        node.operand === null
          ? this.#boolean(branch.when, 'WHEN')
          : this.#comparison('=', node.operand, branch.when, branch.when.span),
      result: withType(analyzed[i]!),
    }));
    const otherwise = node.otherwise === null ? null : withType(analyzed[node.branches.length]!);
    return { kind: 'case', type: resultType, branches, otherwise };
  }

  #explicitCast(node: ast.Expression, type: SqlType, span: Span): Expression {
    if (node.kind === 'null') return { kind: 'literal', type, value: null };
    const operand = this.analyze(node);
    if (equalTypes(operand.type, type)) return operand;
    if (openCast(operand.type, type) === null)
      throw new SqlError('ML_TYPE', `CAST cannot turn ${printType(operand.type)} into ${printType(type)}`, {
        span,
      });
    return { kind: 'cast', type, operand, guarded: true };
  }

  #boolean(node: ast.Expression, where: string): Expression {
    const expression = this.analyze(node);
    if (expression.type.kind !== 'boolean')
      throw new SqlError('ML_TYPE', `${where} needs a BOOLEAN, and this is ${printType(expression.type)}`, {
        span: node.span,
      });
    return expression;
  }

  #text(node: ast.Expression, where: string): Expression {
    const expression = this.analyze(node);
    if (expression.type.kind !== 'string')
      throw new SqlError('ML_TYPE', `${where} needs a STRING, and this is ${printType(expression.type)}`, {
        span: node.span,
        hint: 'CAST it to STRING',
      });
    return expression;
  }

  /** Items of a constructor in one type: the first one that is not NULL decides, numbers widen, literals bend. */
  #unify(nodes: readonly ast.Expression[], what: string, span: Span): { items: Expression[]; type: SqlType } {
    const analyzed = nodes.map((node) => (node.kind === 'null' ? null : this.analyze(node)));
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

  #call(node: ast.FunctionCall): Expression {
    const fn = this.#context.functions.get(node.name);
    if (fn === undefined)
      throw new SqlError('ML_NAME_UNKNOWN', `function ${node.name} does not exist`, {
        span: node.nameSpan,
        hint: suggest(node.name, this.#context.functions.keys(), 'SHOW FUNCTIONS lists all functions'),
      });
    if (fn.kind === 'aggregate') {
      if (this.#context.aggregate === undefined)
        throw new SqlError(
          'ML_TYPE',
          `aggregate function ${node.name} cannot stand in ${this.#context.clause}`,
          {
            span: node.span,
            hint: 'aggregates belong in SELECT and HAVING of a query with GROUP BY',
          },
        );
      return this.#context.aggregate(node, fn);
    }
    if (fn.kind === 'table') {
      if (this.#context.table === undefined)
        throw new SqlError('ML_TYPE', `table function ${node.name} cannot stand in ${this.#context.clause}`, {
          span: node.span,
          hint: 'table functions belong in SELECT, outside of other calls',
        });
      return this.#context.table(node, fn);
    }
    if (node.star)
      throw new SqlError('ML_TYPE', `${node.name}(*) has no meaning`, {
        span: node.span,
        hint: 'only aggregate functions such as COUNT take *',
      });
    return this.#scalarCall(node.name, node.arguments, node.nameSpan, node.span);
  }

  #scalarCall(name: string, nodes: readonly ast.Expression[], nameSpan: Span, span: Span): Expression {
    const fn = this.#context.functions.get(name);
    if (fn === undefined || fn.kind !== 'scalar')
      throw new SqlError('ML_NAME_UNKNOWN', `function ${name} does not exist`, { span: nameSpan });
    const analyzed = nodes.map((node) =>
      node.kind === 'lambda' || node.kind === 'null' ? null : this.#argument(node),
    );
    const types = nodes.map((node, i): ArgumentType => {
      if (node.kind === 'lambda')
        return {
          kind: 'lambda',
          parameterCount: node.parameters.length,
          typeBody: (parameterTypes) => this.#lambda(node, parameterTypes).type,
        };
      return this.#argumentType(node, analyzed[i] ?? null);
    });
    const resolved = resolveScalar(fn, types, span);
    const args = nodes.map((node, i): Expression => {
      const type = resolved.argumentTypes[i]!;
      if (node.kind === 'lambda') {
        const lambda = this.#lambda(node, resolved.lambdaParameters[i]!);
        return { ...lambda, type, body: cast(lambda.body, type) };
      }
      const argument: Expression = analyzed[i] ?? { kind: 'literal', type, value: null };
      const brought = this.coerce(argument, node, type, `argument ${i + 1} of ${name} must be`);
      return GUARDED_ARGUMENTS.has(node.kind) ? guard(brought) : brought;
    });
    return {
      kind: 'call',
      type: resolved.returns,
      name,
      signature: fn.signatures.indexOf(resolved.signature),
      args,
    };
  }

  /** An argument; the keyword of an interval unit (TIMESTAMPADD(DAYS, …)) is a text. */
  #argument(node: ast.Expression): Expression {
    if (this.#isUnit(node)) return { kind: 'literal', type: STRING, value: node.name };
    return this.analyze(node);
  }

  #argumentType(node: ast.Expression, analyzed: Expression | null): ArgumentType {
    if (analyzed === null) return null;
    if (this.#isUnit(node)) return { kind: 'interval-unit' };
    return node.kind === 'string' ? { kind: 'string-literal' } : analyzed.type;
  }

  #isUnit(node: ast.Expression): node is ast.ColumnReference {
    return (
      node.kind === 'column' &&
      node.source === null &&
      INTERVAL_UNITS.has(node.name) &&
      !this.#context.scope.has(node.name) &&
      !this.#parameters.some((parameter) => parameter.name === node.name)
    );
  }

  #lambda(node: ast.Lambda, types: readonly SqlType[]): Extract<Expression, { kind: 'lambda' }> {
    const depth = this.#parameters.length;
    node.parameters.forEach((parameter, i) => {
      if (
        this.#context.scope.has(parameter.name) ||
        this.#parameters.some((other) => other.name === parameter.name)
      )
        throw new SqlError(
          'ML_NAME_TAKEN',
          `lambda parameter ${printIdentifier(parameter.name)} has the name of something else`,
          {
            span: parameter.span,
            hint: 'give it a name that no column or other parameter has',
          },
        );
      this.#parameters.push({ name: parameter.name, id: this.#nextId++, type: types[i]! });
    });
    try {
      const body = this.analyze(node.body);
      return {
        kind: 'lambda',
        type: body.type,
        parameters: this.#parameters.slice(depth).map(({ id }) => id),
        body,
      };
    } finally {
      this.#parameters.length = depth;
    }
  }

  /** `expression` (which `node` stands for) where `type` is expected. `needs` begins the message when it can't be. */
  coerce(expression: Expression, node: ast.Expression, type: SqlType, needs: string): Expression {
    if (equalTypes(expression.type, type)) return expression;
    if (node.kind === 'string' && (isTemporal(type) || type.kind === 'bytes')) {
      const folded = fold(expression, type, node.span);
      if (folded !== null) return folded;
    }
    if (
      canWiden(expression.type, type) ||
      (isNumeric(expression.type) &&
        isNumeric(type) &&
        type.kind === 'decimal' &&
        asDecimalType(expression.type) !== null)
    )
      return cast(expression, type);
    throw new SqlError('ML_TYPE', `${needs} ${printType(type)}, and this is ${printType(expression.type)}`, {
      span: node.span,
      hint: `CAST(… AS ${printType(type)})`,
    });
  }
}

function isTemporal(type: SqlType): boolean {
  return type.kind === 'date' || type.kind === 'time' || type.kind === 'timestamp';
}

function isLiteral(node: ast.Expression): boolean {
  return literalValue(node) !== undefined;
}

/** The type in which two types are compared, or null when they are not comparable. */
export function comparisonType(a: SqlType, b: SqlType): SqlType | null {
  const common = commonType(a, b);
  if (common !== null) return common;
  if (a.kind === 'string' && isTemporal(b)) return b;
  if (b.kind === 'string' && isTemporal(a)) return a;
  const kinds = new Set([a.kind, b.kind]);
  return kinds.has('date') && kinds.has('timestamp') ? TIMESTAMP : null;
}

/** The expression cast to a type that it can always become. Literals are cast at once. */
export function cast(expression: Expression, type: SqlType): Expression {
  if (equalTypes(expression.type, type)) return expression;
  if (expression.kind === 'literal') {
    try {
      return { kind: 'literal', type, value: openCast(expression.type, type)!(expression.value) };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  }
  return { kind: 'cast', type, operand: expression };
}

/**
 * A literal in a list whose other items are of `type`: a number written as text is a number, anything may become
 * text, and a constructor of literals bends as they do. Whatever cannot bend stays as it is.
 */
function bend(expression: Expression, node: ast.Expression, type: SqlType): Expression {
  if (commonType(type, expression.type) !== null) return expression;
  if (node.kind === 'string' && isNumeric(type))
    return numberOf(node) ?? fold(expression, type, node.span) ?? expression;
  if (node.kind === 'string' && type.kind === 'boolean')
    return TRUTH.test(node.value) ? fold(expression, type, node.span)! : expression;
  if (isLiteral(node)) return fold(expression, type, node.span) ?? expression;
  if (node.kind === 'array' && expression.kind === 'array' && type.kind === 'array') {
    const items = expression.items.map((item, i) => bend(item, node.items[i]!, type.element));
    const element = commonTypeOf([type.element, ...items.map((item) => item.type)]);
    if (element === null) return expression;
    return {
      ...expression,
      type: { kind: 'array', element },
      items: items.map((item) => cast(item, element)),
    };
  }
  if (node.kind === 'struct' && expression.kind === 'struct' && type.kind === 'struct') {
    const fields = expression.fields.map((item, i) => {
      const field = type.fields.find(({ name }) => name === node.fields[i]!.name);
      return field === undefined ? item : bend(item, node.fields[i]!.value, field.type);
    });
    const types = fields.map((field, i) => ({ name: node.fields[i]!.name, type: field.type }));
    return { ...expression, type: { kind: 'struct', fields: types }, fields };
  }
  return expression;
}

/** What ksqlDB reads as a BOOLEAN: the beginning of a word for yes or no. */
const TRUTH = /^(t(r(ue?)?)?|y(es?)?|f(a(l(se?)?)?)?|no?)$/i;

/** A number written as text, in the type that it has as a literal; null when it is none. */
function numberOf(node: ast.StringLiteral): Expression | null {
  const text = node.value.trim();
  const whole = parseBigint(text);
  if (whole !== undefined)
    return { kind: 'literal', type: parseInteger(text) === undefined ? BIGINT : INTEGER, value: whole };
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(text)) return null;
  const value = Decimal.parse(text);
  return { kind: 'literal', type: decimalTypeOf(value), value };
}

function decimalTypeOf(value: Decimal): SqlType {
  return { kind: 'decimal', precision: Math.max(value.precision, value.scale + 1), scale: value.scale };
}

/** A literal in another type, or null when there is no such cast. A value that the type cannot take is an error. */
function fold(expression: Expression, type: SqlType, span: Span): Expression | null {
  const convert =
    openCast(expression.type, type) ?? (expression.type.kind === 'string' ? openCast(STRING, type) : null);
  if (expression.kind !== 'literal' || convert === null) return null;
  const { value } = expression;
  return { kind: 'literal', type, value: attempt(() => convert(value), span) };
}

/** A value computed from the text of a statement: bad data there is a mistake in the statement. */
export function attempt<T>(compute: () => T, span: Span): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof DataError) throw new SqlError('ML_DATA', error.message, { span });
    throw error;
  }
}

function guard(expression: Expression): Expression {
  return expression.kind === 'column' || expression.kind === 'literal' || expression.guarded === true
    ? expression
    : { ...expression, guarded: true };
}
