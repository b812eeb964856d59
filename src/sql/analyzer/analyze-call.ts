import { SqlError, type Span } from '../../common/error.ts';
import type { ArgumentType } from '../../functions/match-signature.ts';
import { resolveScalar } from '../../functions/resolve.ts';
import { CONCATENATION } from '../../functions/scalar/concat.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { printIdentifier } from '../../types/print-type.ts';
import { STRING, type SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { cast, guard } from './cast-expression.ts';
import { coerceArgument } from './coerce.ts';
import type { ExpressionAnalysis } from './expression-context.ts';
import { suggestFunction } from './suggest.ts';

const INTERVAL_UNITS: ReadonlySet<string> = new Set(
  ['MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR'].flatMap((unit) => [
    unit,
    `${unit}S`,
  ]),
);

/** Parts of an expression that ksqlDB guards on their own as arguments: their errors make a null of the argument alone. */
const GUARDED_ARGUMENTS: ReadonlySet<ast.ExpressionKind> = new Set([
  'call',
  'fieldAccess',
  'subscript',
  'concatenation',
] as const);

/** A call of a function of any kind. Aggregate and table functions go to the handler that the clause has for them. */
export function analyzeCall(analysis: ExpressionAnalysis, node: ast.FunctionCall): Expression {
  const fn = analysis.context.functions.get(node.name);
  if (fn === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `function ${node.name} does not exist`, {
      span: node.nameSpan,
      hint: suggestFunction(node.name, analysis.context.functions.keys()),
    });
  if (fn.kind === 'aggregate') {
    if (analysis.context.aggregate === undefined)
      throw new SqlError(
        'ML_TYPE',
        `aggregate function ${node.name} cannot stand in ${analysis.context.clause}`,
        {
          span: node.span,
          hint: 'aggregates belong in SELECT and HAVING of a query with GROUP BY',
        },
      );
    return analysis.context.aggregate(node, fn);
  }
  if (fn.kind === 'table') {
    if (analysis.context.table === undefined)
      throw new SqlError(
        'ML_TYPE',
        `table function ${node.name} cannot stand in ${analysis.context.clause}`,
        {
          span: node.span,
          hint: 'table functions belong in SELECT, outside of other calls',
        },
      );
    return analysis.context.table(node, fn);
  }
  if (node.star)
    throw new SqlError('ML_TYPE', `${node.name}(*) has no meaning`, {
      span: node.span,
      hint: 'only aggregate functions such as COUNT take *',
    });
  return analyzeScalarCall(analysis, node.name, node.arguments, node.nameSpan, node.span);
}

/**
 * `left || right`, which is a call. What a chain has joined so far takes one more argument, as long as nothing in it can
 * raise an error that a call of its own would have to catch.
 */
export function analyzeConcatenation(
  analysis: ExpressionAnalysis,
  left: Expression,
  node: ast.Concatenation,
): Expression {
  const right = node.right.kind === 'null' ? null : analyzeArgument(analysis, node.right);
  const call = callOf(
    analysis,
    CONCATENATION,
    [node.left, node.right],
    [node.left.kind === 'null' ? null : left, right],
    node.span,
    node.span,
  );
  const [first, last] = call.args;
  const isLonger =
    node.left.kind === 'concatenation' &&
    first?.kind === 'call' &&
    first.name === CONCATENATION &&
    first.signature === call.signature &&
    first.args.length < JOINED_MAX &&
    [...first.args.slice(-2), last!].every(isQuiet);
  return isLonger ? { ...call, args: [...first.args, last!] } : call;
}

/** How many texts a chain of || joins at once. */
const JOINED_MAX = 100;

function isQuiet({ kind, guarded }: Expression): boolean {
  return kind === 'column' || kind === 'literal' || kind === 'parameter' || guarded === true;
}

function analyzeScalarCall(
  analysis: ExpressionAnalysis,
  name: string,
  nodes: readonly ast.Expression[],
  nameSpan: Span,
  span: Span,
): Expression {
  const analyzed = nodes.map((node) =>
    node.kind === 'lambda' || node.kind === 'null' ? null : analyzeArgument(analysis, node),
  );
  return callOf(analysis, name, nodes, analyzed, nameSpan, span);
}

/** The call over arguments that have been analyzed, but for lambdas and NULLs, which are null. */
function callOf(
  analysis: ExpressionAnalysis,
  name: string,
  nodes: readonly ast.Expression[],
  analyzed: readonly (Expression | null)[],
  nameSpan: Span,
  span: Span,
): Extract<Expression, { kind: 'call' }> {
  const fn = analysis.context.functions.get(name);
  if (fn === undefined || fn.kind !== 'scalar')
    throw new SqlError('ML_NAME_UNKNOWN', `function ${name} does not exist`, { span: nameSpan });
  const types = nodes.map((node, i): ArgumentType => {
    if (node.kind === 'lambda')
      return {
        kind: 'lambda',
        parameterCount: node.parameters.length,
        typeBody: (parameterTypes) => analyzeLambda(analysis, node, parameterTypes).type,
      };
    return argumentType(analysis, node, analyzed[i] ?? null);
  });
  const resolved = resolveScalar(fn, types, span);
  const args = nodes.map((node, i): Expression => {
    const type = resolved.argumentTypes[i]!;
    if (node.kind === 'lambda') {
      const lambda = analyzeLambda(analysis, node, resolved.lambdaParameters[i]!);
      return { ...lambda, type, body: cast(lambda.body, type) };
    }
    const argument: Expression = analyzed[i] ?? { kind: 'literal', type, value: null };
    const brought = coerceArgument(argument, node, type, resolved.parameters[i]!, i, name);
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
function analyzeArgument(analysis: ExpressionAnalysis, node: ast.Expression): Expression {
  if (isUnit(analysis, node)) return { kind: 'literal', type: STRING, value: node.name };
  return analysis.analyze(node);
}

function argumentType(
  analysis: ExpressionAnalysis,
  node: ast.Expression,
  analyzed: Expression | null,
): ArgumentType {
  if (analyzed === null) return null;
  if (isUnit(analysis, node)) return { kind: 'interval-unit' };
  return analyzed.type;
}

function isUnit(analysis: ExpressionAnalysis, node: ast.Expression): node is ast.ColumnReference {
  return (
    node.kind === 'column' &&
    node.source === null &&
    INTERVAL_UNITS.has(node.name) &&
    !analysis.context.scope.has(node.name) &&
    !analysis.parameters.some((parameter) => parameter.name === node.name)
  );
}

function analyzeLambda(
  analysis: ExpressionAnalysis,
  node: ast.Lambda,
  types: readonly SqlType[],
): Extract<Expression, { kind: 'lambda' }> {
  const known = analysis.lambdas
    .get(node)
    ?.find(
      (each) =>
        each.within.length === analysis.parameters.length &&
        each.within.every((parameter, i) => parameter === analysis.parameters[i]) &&
        each.types.every((type, i) => equalTypes(type, types[i]!)),
    );
  if (known !== undefined) return known.lambda;
  const within = [...analysis.parameters];
  const lambda = analyzeNewLambda(analysis, node, types);
  const all = analysis.lambdas.get(node) ?? [];
  all.push({ within, types, lambda });
  analysis.lambdas.set(node, all);
  return lambda;
}

function analyzeNewLambda(
  analysis: ExpressionAnalysis,
  node: ast.Lambda,
  types: readonly SqlType[],
): Extract<Expression, { kind: 'lambda' }> {
  const depth = analysis.parameters.length;
  node.parameters.forEach((parameter, i) => {
    if (
      analysis.context.scope.has(parameter.name) ||
      analysis.parameters.some((other) => other.name === parameter.name)
    )
      throw new SqlError(
        'ML_NAME_TAKEN',
        `lambda parameter ${printIdentifier(parameter.name)} has the name of something else`,
        {
          span: parameter.span,
          hint: 'give it a name that no column or other parameter has',
        },
      );
    analysis.parameters.push({ name: parameter.name, id: analysis.nextParameterId(), type: types[i]! });
  });
  try {
    const body = analysis.analyze(node.body);
    return {
      kind: 'lambda',
      type: body.type,
      parameters: analysis.parameters.slice(depth).map(({ id }) => id),
      body,
    };
  } finally {
    analysis.parameters.length = depth;
  }
}
