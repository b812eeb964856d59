import { SqlError, type Span } from '../common/error.ts';
import { openCast } from '../types/cast.ts';
import { equalTypes } from '../types/equal-types.ts';
import { asDecimalType, canWiden, commonType } from '../types/implicit-cast.ts';
import { printType } from '../types/print-type.ts';
import { array, map, STRING, type SqlType } from '../types/sql-type.ts';
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

/**
 * Finds the signature that a call means. Exact matches win over implicit casts; among the matches of one kind those
 * without a variadic parameter, then those with more parameters written out, then those with fewer generics. Of
 * signatures without variadics that are still equal, the one whose types are narrower than all others' wins
 * (POWER(INTEGER, BIGINT) is the BIGINT one). What remains equal is an ambiguity error.
 */

/** A lambda argument: how many parameters it has, and its body's type once theirs are known (throws `SqlError`). */
export interface LambdaShape {
  readonly kind: 'lambda';
  readonly parameterCount: number;
  typeBody(parameterTypes: readonly SqlType[]): SqlType;
}

/** `type`; null for the NULL literal; a STRING literal, which may become temporal or BYTES; DAYS and its like. */
export type ArgumentType =
  | SqlType
  | null
  | LambdaShape
  | { readonly kind: 'string-literal' }
  | { readonly kind: 'interval-unit' };

export interface ResolvedScalar {
  readonly signature: ScalarSignature;
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
  /** The types that the column arguments are cast to: the first arguments of the call. */
  readonly argumentTypes: readonly SqlType[];
  /** The values of the literal arguments, in their parameters' types: the other arguments of the call. */
  readonly literals: readonly SqlValue[];
  readonly returns: SqlType;
}

interface Match<S> {
  readonly signature: S;
  readonly parameters: readonly Parameter[];
  readonly argumentTypes: readonly SqlType[];
  readonly lambdaParameters: readonly (readonly SqlType[] | null)[];
  readonly generics: ReadonlyMap<string, SqlType>;
}

/** Throws `SqlError` ML_TYPE when no signature, or more than one, takes the arguments. */
export function resolveScalar(
  fn: ScalarFunction,
  args: readonly ArgumentType[],
  span?: Span,
): ResolvedScalar {
  const match = select(fn, fn.signatures, (signature) => signature.parameters, args, span);
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
  const match = select(fn, fn.signatures, (signature) => signature.parameters, args, span);
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
  return { signature, argumentTypes, literals, returns };
}

function pick<S>(match: Match<S>): { signature: S; argumentTypes: readonly SqlType[] } {
  return { signature: match.signature, argumentTypes: match.argumentTypes };
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

/** The parameters, the variadic one repeated, so that there are `count` of them; null when that cannot be. */
function expand(parameters: readonly Parameter[], count: number): readonly Parameter[] | null {
  const at = parameters.findIndex((parameter) => parameter.variadic === true);
  if (at < 0) return parameters.length === count ? parameters : null;
  const repeats = count - (parameters.length - 1);
  if (repeats < 0) return null;
  return [
    ...parameters.slice(0, at),
    ...Array.from({ length: repeats }, () => parameters[at]!),
    ...parameters.slice(at + 1),
  ];
}

function matchSignature<S>(
  signature: S,
  parameters: readonly Parameter[],
  args: readonly ArgumentType[],
  implicit: boolean,
): Match<S> | null {
  const expanded = expand(parameters, args.length);
  if (expanded === null) return null;
  const generics = new Map<string, SqlType>();
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    const type = expanded[i]!.type;
    if (argument === null) {
      if (type.kind === 'lambda' || type.kind === 'interval-unit') return null;
    } else if (argument.kind === 'lambda') {
      if (type.kind !== 'lambda' || type.parameters.length !== argument.parameterCount) return null;
    } else if (argument.kind === 'interval-unit') {
      if (type.kind !== 'interval-unit') return null;
    } else if (argument.kind === 'string-literal') {
      const becomes = implicit && isFromText(type);
      if (!becomes && !bind(type, STRING, generics, implicit)) return null;
    } else if (!bind(type, argument, generics, implicit)) return null;
  }
  const lambdas = bindLambdas(expanded, args, generics, implicit);
  if (lambdas === null) return null;
  const argumentTypes: SqlType[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    const target = lambdas.bodies[i] ?? targetType(expanded[i]!.type, argument, generics);
    if (target === null) return null;
    argumentTypes.push(target);
  }
  return { signature, parameters, argumentTypes, lambdaParameters: lambdas.parameters, generics };
}

interface Lambdas {
  readonly parameters: readonly (readonly SqlType[] | null)[];
  readonly bodies: readonly (SqlType | null)[];
}

/** Types the lambdas from the generics bound so far. A body may widen a generic, which then is typed again. */
function bindLambdas(
  parameters: readonly Parameter[],
  args: readonly ArgumentType[],
  generics: Map<string, SqlType>,
  implicit: boolean,
): Lambdas | null {
  for (let round = 0; ; round++) {
    const before = new Map(generics);
    const lambdaParameters: (readonly SqlType[] | null)[] = [];
    const bodies: (SqlType | null)[] = [];
    for (let i = 0; i < args.length; i++) {
      const argument = args[i]!;
      const type = parameters[i]!.type;
      if (argument === null || argument.kind !== 'lambda' || type.kind !== 'lambda') {
        lambdaParameters.push(null);
        bodies.push(null);
        continue;
      }
      const types: SqlType[] = [];
      for (const each of type.parameters) {
        const parameterType = substitute(each, generics);
        if (parameterType === null) return null;
        types.push(parameterType);
      }
      const body = argument.typeBody(types);
      if (!bind(type.returns, body, generics, implicit)) return null;
      lambdaParameters.push(types);
      bodies.push(substitute(type.returns, generics));
    }
    const changed = [...before].some(([name, type]) => !equalTypes(type, generics.get(name)!));
    if (!changed) return { parameters: lambdaParameters, bodies };
    // Widening goes up a short ladder; more rounds than this cannot bring anything.
    if (round > 4) return null;
  }
}

function isFromText(type: ParameterType): boolean {
  return type.kind === 'date' || type.kind === 'time' || type.kind === 'timestamp' || type.kind === 'bytes';
}

/** Whether a value of type `actual` may stand for `expected`; binds the generics in it. */
function bind(
  expected: ParameterType,
  actual: SqlType,
  generics: Map<string, SqlType>,
  implicit: boolean,
): boolean {
  switch (expected.kind) {
    case 'any':
      return true;
    case 'any-decimal':
      return actual.kind === 'decimal' || (implicit && asDecimalType(actual) !== null);
    case 'any-struct':
      return actual.kind === 'struct';
    case 'interval-unit':
    case 'lambda':
      return false;
    case 'generic': {
      const bound = generics.get(expected.name);
      if (bound === undefined || equalTypes(bound, actual)) {
        generics.set(expected.name, actual);
        return true;
      }
      if (!implicit) return false;
      const common = commonType(bound, actual);
      if (common === null) return false;
      generics.set(expected.name, common);
      return true;
    }
    case 'array':
      return actual.kind === 'array' && bind(expected.element, actual.element, generics, implicit);
    case 'map':
      return (
        actual.kind === 'map' &&
        bind(expected.key, actual.key, generics, implicit) &&
        bind(expected.value, actual.value, generics, implicit)
      );
    default:
      return equalTypes(expected, actual) || (implicit && canWiden(actual, expected));
  }
}

/** What the argument is cast to. */
function targetType(
  expected: ParameterType,
  argument: ArgumentType,
  generics: ReadonlyMap<string, SqlType>,
): SqlType | null {
  if (expected.kind === 'interval-unit') return STRING;
  if (expected.kind === 'any' || expected.kind === 'any-struct') return valueType(argument) ?? STRING;
  if (expected.kind === 'any-decimal') {
    const type = valueType(argument);
    return type === null ? { kind: 'decimal', precision: 1, scale: 0 } : asDecimalType(type);
  }
  // A NULL whose type nothing decides is carried as STRING; it has no value that could tell.
  return substitute(expected, generics) ?? (argument === null ? STRING : null);
}

function valueType(argument: ArgumentType): SqlType | null {
  if (argument === null || argument.kind === 'lambda' || argument.kind === 'interval-unit') return null;
  return argument.kind === 'string-literal' ? STRING : argument;
}

/** The type with its generics replaced, or null when one is not bound. */
function substitute(type: ParameterType, generics: ReadonlyMap<string, SqlType>): SqlType | null {
  switch (type.kind) {
    case 'generic':
      return generics.get(type.name) ?? null;
    case 'array': {
      const element = substitute(type.element, generics);
      return element === null ? null : array(element);
    }
    case 'map': {
      const key = substitute(type.key, generics);
      const value = substitute(type.value, generics);
      return key === null || value === null ? null : map(key, value);
    }
    case 'any':
    case 'any-decimal':
    case 'any-struct':
    case 'interval-unit':
    case 'lambda':
      return null;
    default:
      return type;
  }
}
