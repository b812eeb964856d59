import { SqlError, type Span } from '../../common/error.ts';
import { openCast } from '../../types/cast.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { arithmeticType, asDecimalType, isNumeric } from '../../types/implicit-cast.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import { BOOLEAN, INTEGER, STRING, type SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { analyzeCall, analyzeConcatenation } from './analyze-call.ts';
import { analyzeComparison, analyzeIn, refuseNullSide, sharing } from './analyze-comparison.ts';
import { analyzeConstructor } from './analyze-constructor.ts';
import { cast } from './cast-expression.ts';
import { coerce } from './coerce.ts';
import type { ExpressionAnalysis, ExpressionContext } from './expression-context.ts';
import { fold, literalValue } from './literal.ts';
import { checkPrecision, resolveType } from './resolve-type.ts';
import { suggest } from './suggest.ts';

/** Resolves and types an expression. Throws `SqlError` at the part that is wrong. */
export function analyzeExpression(node: ast.Expression, context: ExpressionContext): Expression {
  return new Analysis(context).analyze(node);
}

/** The same, brought to a type as a literal, argument or assigned value may be. */
export function analyzeAs(node: ast.Expression, type: SqlType, context: ExpressionContext): Expression {
  const analysis = new Analysis(context);
  return coerce(analysis.analyzeOrNull(node, type), node, type, `${context.clause} needs`);
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

class Analysis implements ExpressionAnalysis {
  readonly context: ExpressionContext;
  readonly parameters: ExpressionAnalysis['parameters'] = [];
  readonly lambdas: ExpressionAnalysis['lambdas'] = new Map();
  #nextId = 0;

  constructor(context: ExpressionContext) {
    this.context = context;
  }

  nextParameterId(): number {
    return this.#nextId++;
  }

  analyzeOrNull(node: ast.Expression, type: SqlType): Expression {
    return node.kind === 'null' ? { kind: 'literal', type, value: null } : this.analyze(node);
  }

  analyze(node: ast.Expression): Expression {
    // From the outermost operator down to what it begins with: chains are long along this line alone.
    const line: Chained[] = [];
    let innermost = node;
    while (isChained(innermost)) {
      if (innermost.kind === 'arithmetic') refuseNullOperands(innermost);
      line.push(innermost);
      innermost = beginningOf(innermost);
    }
    const type = typeOfNull(line.at(-1)?.kind);
    let analyzed = type === null ? this.#analyzeAlone(innermost) : this.analyzeOrNull(innermost, type);
    for (let next = line.pop(); next !== undefined; next = line.pop())
      analyzed = this.#extend(analyzed, next);
    return analyzed;
  }

  /** The operator, whose beginning has been analyzed. */
  #extend(first: Expression, node: Chained): Expression {
    switch (node.kind) {
      case 'unary':
        if (!isNumeric(first.type))
          throw new SqlError(
            'ML_TYPE',
            `${node.operator} needs a number, and this is ${printType(first.type)}`,
            {
              span: node.operand.span,
            },
          );
        return node.operator === '+' ? first : { kind: 'negate', type: first.type, operand: first };
      case 'arithmetic':
        return this.#arithmetic(first, node);
      case 'logical':
        return {
          kind: 'logical',
          type: BOOLEAN,
          operator: node.operator === 'AND' ? 'and' : 'or',
          left: asBoolean(first, node.left, node.operator),
          right: asBoolean(this.analyzeOrNull(node.right, BOOLEAN), node.right, node.operator),
        };
      case 'not':
        return { kind: 'not', type: BOOLEAN, operand: asBoolean(first, node.operand, 'NOT') };
      case 'concatenation':
        return analyzeConcatenation(this, first, node);
      case 'fieldAccess':
        return this.#field(first, node);
      case 'subscript':
        return this.#subscript(first, node);
    }
  }

  #analyzeAlone(node: Exclude<ast.Expression, Chained>): Expression {
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
      case 'call':
        return analyzeCall(this, node);
      case 'lambda':
        throw new SqlError('ML_TYPE', 'a lambda can only be an argument of a function', { span: node.span });
      case 'atTimeZone':
        throw new SqlError('ML_UNSUPPORTED', 'AT TIME ZONE is not available', {
          span: node.span,
          hint: 'use CONVERT_TZ(timestamp, from, to)',
        });
      case 'comparison':
        return analyzeComparison(this, node.operator, node.left, node.right, node.span);
      case 'isNull':
        return {
          kind: 'is-null',
          type: BOOLEAN,
          operand: this.analyzeOrNull(node.operand, STRING),
          negated: node.negated,
        };
      case 'between': {
        const { operand, lower, upper, span } = node;
        refuseNullSide(operand, '>=');
        return sharing(this, this.analyze(operand), (shared) => {
          const both: Expression = {
            kind: 'logical',
            type: BOOLEAN,
            operator: 'and',
            left: analyzeComparison(this, '>=', operand, lower, span, shared),
            right: analyzeComparison(this, '<=', operand, upper, span, shared),
          };
          return node.negated ? { kind: 'not', type: BOOLEAN, operand: both } : both;
        });
      }
      case 'in':
        return analyzeIn(this, node);
      case 'like': {
        const operand = this.#text(node.operand, 'LIKE');
        const pattern = this.#text(node.pattern, 'LIKE');
        if (node.escape !== null && node.escape.length !== 1)
          throw new SqlError('ML_TYPE', 'ESCAPE needs exactly one character', { span: node.span });
        return { kind: 'like', type: BOOLEAN, operand, pattern, escape: node.escape, negated: node.negated };
      }
      case 'case':
        return this.#case(node);
      case 'cast': {
        const type = resolveType(node.type, this.context.catalog);
        return this.#explicitCast(node.operand, type, node.span);
      }
      case 'array':
      case 'map':
      case 'struct':
        return analyzeConstructor(this, node);
    }
  }

  #column(node: ast.ColumnReference): Expression {
    if (node.source === null) {
      const parameter = this.parameters.findLast((each) => each.name === node.name);
      if (parameter !== undefined) return { kind: 'parameter', type: parameter.type, id: parameter.id };
    }
    const { type, index } = this.context.scope.resolve(node.source, node.name, node.span);
    const column: Expression = { kind: 'column', type, index };
    this.context.spans?.set(column, node.span);
    return column;
  }

  #field(operand: Expression, node: ast.FieldAccess): Expression {
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

  #subscript(operand: Expression, node: ast.Subscript): Expression {
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
      const index = coerce(this.analyzeOrNull(node.index, key), node.index, key, 'the map key must be');
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

  #arithmetic(left: Expression, node: ast.Arithmetic): Expression {
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
    checkPrecision(type, node.span);
    const bring = (operand: Expression): Expression =>
      cast(operand, type.kind === 'decimal' ? asDecimalType(operand.type)! : type);
    return { kind: 'arithmetic', type, operator, left: bring(left), right: bring(right) };
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
    const otherwise = node.otherwise === null ? null : withType(analyzed[node.branches.length]!);
    const build = (when: (branch: ast.CaseBranch) => Expression): Expression => ({
      kind: 'case',
      type: resultType,
      branches: node.branches.map((branch, i) => ({ when: when(branch), result: withType(analyzed[i]!) })),
      otherwise,
    });
    const { operand } = node;
    if (operand === null) return build(({ when }) => asBoolean(this.analyze(when), when, 'WHEN'));
    refuseNullSide(operand, '=');
    return sharing(this, this.analyze(operand), (shared) =>
      build(({ when }) => analyzeComparison(this, '=', operand, when, when.span, shared)),
    );
  }

  #explicitCast(node: ast.Expression, type: SqlType, span: Span): Expression {
    if (node.kind === 'null') return { kind: 'literal', type, value: null };
    const operand = this.analyze(node);
    if (equalTypes(operand.type, type)) return operand;
    if (openCast(operand.type, type) === null)
      throw new SqlError('ML_TYPE', `CAST cannot turn ${printType(operand.type)} into ${printType(type)}`, {
        span,
      });
    if (operand.kind === 'literal') return fold(operand, type, span)!;
    return { kind: 'cast', type, operand, guarded: true };
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
}

/** Operators that may stand in a chain, where each begins with the one before it. */
type Chained =
  | ast.Unary
  | ast.Arithmetic
  | ast.Logical
  | ast.Not
  | ast.Concatenation
  | ast.FieldAccess
  | ast.Subscript;

const CHAINED: ReadonlySet<ast.ExpressionKind> = new Set<Chained['kind']>([
  'unary',
  'arithmetic',
  'logical',
  'not',
  'concatenation',
  'fieldAccess',
  'subscript',
]);

function isChained(node: ast.Expression): node is Chained {
  return CHAINED.has(node.kind);
}

function beginningOf(node: Chained): ast.Expression {
  switch (node.kind) {
    case 'unary':
    case 'not':
      return node.operand;
    case 'fieldAccess':
    case 'subscript':
      return node.base;
    default:
      return node.left;
  }
}

/** The type of NULL as an operand of an operator whose operands have one type only; null for other operators. */
function typeOfNull(operator: ast.ExpressionKind | undefined): SqlType | null {
  if (operator === 'concatenation') return STRING;
  return operator === 'logical' || operator === 'not' ? BOOLEAN : null;
}

function refuseNullOperands(node: ast.Arithmetic): void {
  for (const side of [node.left, node.right])
    if (side.kind === 'null')
      throw new SqlError('ML_TYPE', `${node.operator} with NULL has no value`, {
        span: side.span,
        hint: 'use a column or a number',
      });
}

function asBoolean(expression: Expression, node: ast.Expression, where: string): Expression {
  if (expression.type.kind !== 'boolean')
    throw new SqlError('ML_TYPE', `${where} needs a BOOLEAN, and this is ${printType(expression.type)}`, {
      span: node.span,
    });
  return expression;
}
