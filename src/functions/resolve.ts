import { SqlError, type Span } from '../common/error.ts';
import { openCast } from '../types/cast.ts';
import { canWiden } from '../types/implicit-cast.ts';
import { printType } from '../types/print-type.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { SqlValue } from '../types/value.ts';
import type {
  AggregateFunction,
  AggregateSignature,
  Parameter,
  ParameterType,
  ScalarFunction,
  ScalarSignature,
  TableFunction,
  TableSignature,
} from './function.ts';
import { describeParameters } from './describe.ts';
import {
  expand,
  matchSignature,
  substitute,
  valueType,
  type ArgumentType,
  type Match,
} from './match-signature.ts';

/**
 * Finds the signature that a call means. Exact matches win over implicit casts; among the matches of one kind those
 * without a variadic parameter, then those with more parameters written out, then those with fewer generics. Of
 * signatures without variadics that are still equal, the one whose types are narrower than all others' wins
 * (POWER(INTEGER, BIGINT) is the BIGINT one). What remains equal is an ambiguity error.
 */

export interface ResolvedScalar {
  readonly signature: ScalarSignature;
  /** One for each argument, as in the other two. */
  readonly parameters: readonly Parameter[];
  /**
   * The type each argument is cast to before the call; these are `open`'s argument types. For a lambda the type of
   * its body, for an interval unit STRING (its value at run time is the keyword in upper case, such as 'DAYS').
   */
  readonly argumentTypes: readonly SqlType[];
  /** The parameter types of the arguments that are lambdas, null for others. */
  readonly lambdaParameters: readonly (readonly SqlType[] | null)[];
  readonly returns: SqlType;
}

export interface ResolvedTable {
  readonly signature: TableSignature;
  readonly parameters: readonly Parameter[];
  readonly argumentTypes: readonly SqlType[];
  readonly returns: SqlType;
}

export interface AggregateArgument {
  readonly type: ArgumentType;
  /** The value, when the argument is a literal (null for NULL); undefined when it is any other expression. */
  readonly literal?: SqlValue | undefined;
}

export interface ResolvedAggregate {
  readonly signature: AggregateSignature;
  readonly parameters: readonly Parameter[];
  /** The types that the column arguments are cast to: the first arguments of the call. */
  readonly argumentTypes: readonly SqlType[];
  /** The values of the literal arguments, in their parameters' types: the other arguments of the call. */
  readonly literals: readonly SqlValue[];
  readonly returns: SqlType;
}

/** Throws `SqlError` ML_TYPE when no signature, or more than one, takes the arguments. */
export function resolveScalar(
  fn: ScalarFunction,
  args: readonly ArgumentType[],
  span?: Span,
): ResolvedScalar {
  const match = select(fn, fn.signatures, (signature) => signature.parameters, args.map(asText), span);
  const returns = returnType(
    fn.name,
    match,
    match.signature.returns,
    (rule) => rule(match.argumentTypes),
    span,
  );
  return { ...pick(match), lambdaParameters: match.lambdaParameters, returns };
}

/** Throws `SqlError` ML_TYPE when no signature, or more than one, takes the arguments. */
export function resolveTable(fn: TableFunction, args: readonly ArgumentType[], span?: Span): ResolvedTable {
  const match = select(fn, fn.signatures, (signature) => signature.parameters, args.map(asText), span);
  const returns = returnType(
    fn.name,
    match,
    match.signature.returns,
    (rule) => rule(match.argumentTypes),
    span,
  );
  return { ...pick(match), returns };
}

/**
 * Throws `SqlError` ML_TYPE when no signature, or more than one, takes the arguments, and when an argument that must
 * be a literal is none.
 */
export function resolveAggregate(
  fn: AggregateFunction,
  args: readonly AggregateArgument[],
  span?: Span,
): ResolvedAggregate {
  const all = (signature: AggregateSignature): Parameter[] => [
    ...signature.parameters,
    ...(signature.literals ?? []),
  ];
  const match = select(
    fn,
    fn.signatures,
    all,
    args.map((argument) => argument.type),
    span,
  );
  const { signature } = match;
  const literalParameters = new Set(signature.literals ?? []);
  // Expansion repeats the same parameter object, so identity tells columns from literals.
  const expanded = expand(all(signature), args.length)!;
  const columnCount = expanded.filter((each) => !literalParameters.has(each)).length;
  const literals = args.slice(columnCount).map((argument, i) => {
    const at = columnCount + i;
    if (argument.literal === undefined)
      throw new SqlError(
        'ML_TYPE',
        `argument ${at + 1} of ${fn.name} (${expanded[at]!.name}) must be a literal`,
        {
          span,
          hint: 'write the value itself instead of an expression',
        },
      );
    const from = valueType(argument.type);
    if (argument.literal === null || from === null) return null;
    const cast = openCast(from, match.argumentTypes[at]!);
    return cast === null ? argument.literal : cast(argument.literal);
  });
  const argumentTypes = match.argumentTypes.slice(0, columnCount);
  const returns = returnType(
    fn.name,
    match,
    signature.returns,
    (rule) => rule(argumentTypes, literals),
    span,
  );
  return { signature, parameters: expanded, argumentTypes, literals, returns };
}

/** A text, literal or column, may be read as a time or as bytes; but not the argument of an aggregate. */
function asText(argument: ArgumentType): ArgumentType {
  return argument?.kind === 'string' ? { kind: 'text' } : argument;
}

function pick<S>(match: Match<S>): {
  signature: S;
  parameters: readonly Parameter[];
  argumentTypes: readonly SqlType[];
} {
  const { signature, argumentTypes } = match;
  return { signature, parameters: expand(match.parameters, argumentTypes.length)!, argumentTypes };
}

function returnType<S, R>(
  name: string,
  match: Match<S>,
  returns: SqlType | ParameterType | R,
  apply: (rule: R) => SqlType,
  span: Span | undefined,
): SqlType {
  if (typeof returns === 'function') return apply(returns as R);
  const type = substitute(returns as ParameterType, match.generics);
  if (type !== null) return type;
  throw new SqlError('ML_TYPE', `the type of ${name}(…) does not follow from its arguments`, {
    span,
    hint: 'give NULL a type, for example CAST(NULL AS STRING)',
  });
}

interface Named {
  readonly name: string;
}

function select<S>(
  fn: Named,
  signatures: readonly S[],
  parametersOf: (signature: S) => readonly Parameter[],
  args: readonly ArgumentType[],
  span: Span | undefined,
): Match<S> {
  for (const implicit of [false, true]) {
    const matches: Match<S>[] = [];
    for (const signature of signatures) {
      const match = matchSignature(signature, parametersOf(signature), args, implicit);
      if (match !== null) matches.push(match);
    }
    const best = keepBest(matches, args);
    if (best.length === 1) return best[0]!;
    if (best.length > 1)
      throw new SqlError(
        'ML_TYPE',
        `${call(fn.name, args)} could mean more than one signature of ${fn.name}`,
        {
          span,
          hint: `CAST the arguments to the types of one of these: ${listOf(
            fn.name,
            best.map((match) => match.parameters),
          )}`,
        },
      );
  }
  throw new SqlError('ML_TYPE', `${call(fn.name, args)} does not fit any signature of ${fn.name}`, {
    span,
    hint: `${fn.name} takes: ${listOf(fn.name, signatures.map(parametersOf))}`,
  });
}

function listOf(name: string, signatures: readonly (readonly Parameter[])[]): string {
  return signatures.map((parameters) => `${name}(${describeParameters(parameters)})`).join(', ');
}

function call(name: string, args: readonly ArgumentType[]): string {
  const text = args.map((argument) => {
    if (argument === null) return 'NULL';
    if (argument.kind === 'lambda') return `lambda of ${argument.parameterCount}`;
    if (argument.kind === 'interval-unit') return 'interval unit';
    return printType(valueType(argument)!);
  });
  return `${name}(${text.join(', ')})`;
}

function isVariadic(parameters: readonly Parameter[]): boolean {
  return parameters.some((parameter) => parameter.variadic === true);
}

function keepBest<S>(matches: readonly Match<S>[], args: readonly ArgumentType[]): readonly Match<S>[] {
  if (matches.length < 2) return matches;
  const rank = (match: Match<S>): readonly number[] => [
    isVariadic(match.parameters) ? 1 : 0,
    -match.parameters.length,
    match.parameters.reduce((sum, parameter) => sum + countGenerics(parameter.type), 0),
  ];
  let best: Match<S>[] = [];
  let bestRank: readonly number[] = [];
  for (const match of matches) {
    const own = rank(match);
    const order = best.length === 0 ? -1 : compareRanks(own, bestRank);
    if (order < 0) {
      best = [match];
      bestRank = own;
    } else if (order === 0) best.push(match);
  }
  if (best.length < 2 || isVariadic(best[0]!.parameters)) return best;
  const given = args.map((argument) => argument !== null && argument.kind !== 'lambda');
  if (!given.includes(true)) return best;
  const narrowest = best.filter((match) =>
    best.every((other) =>
      match.argumentTypes.every((type, i) => given[i] !== true || canWiden(type, other.argumentTypes[i]!)),
    ),
  );
  return narrowest.length === 1 ? narrowest : best;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

function countGenerics(type: ParameterType): number {
  switch (type.kind) {
    case 'generic':
    case 'any':
      return 1;
    case 'array':
      return countGenerics(type.element);
    case 'map':
      return countGenerics(type.key) + countGenerics(type.value);
    case 'lambda':
      return (
        countGenerics(type.returns) + type.parameters.reduce((sum, each) => sum + countGenerics(each), 0)
      );
    default:
      return 0;
  }
}
