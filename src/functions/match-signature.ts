import { equalTypes } from '../types/equal-types.ts';
import { asDecimalType, canWiden, commonType, isReadFromText } from '../types/implicit-cast.ts';
import { array, map, STRING, type SqlType } from '../types/sql-type.ts';
import type { Parameter, ParameterType } from './function.ts';

/** Whether the arguments of a call fit the parameters of a signature, and as what. */

/** A lambda argument: how many parameters it has, and its body's type once theirs are known (throws `SqlError`). */
export interface LambdaShape {
  readonly kind: 'lambda';
  readonly parameterCount: number;
  typeBody(parameterTypes: readonly SqlType[]): SqlType;
}

/** `type`; null for the NULL literal; a STRING that may be read as a time or BYTES; DAYS and its like. */
export type ArgumentType =
  | SqlType
  | null
  | LambdaShape
  | { readonly kind: 'text' }
  | { readonly kind: 'interval-unit' };

/** A signature that fits. */
export interface Match<S> {
  readonly signature: S;
  readonly parameters: readonly Parameter[];
  readonly argumentTypes: readonly SqlType[];
  readonly lambdaParameters: readonly (readonly SqlType[] | null)[];
  readonly generics: ReadonlyMap<string, SqlType>;
}

/** The parameters, the variadic one repeated, so that there are `count` of them; null when that cannot be. */
export function expand(parameters: readonly Parameter[], count: number): readonly Parameter[] | null {
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

/** Null when the arguments do not fit; `implicit` allows casts that nobody wrote. */
export function matchSignature<S>(
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
    } else if (argument.kind === 'text') {
      const becomes = implicit && isReadFromText(type);
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

/** The type of an argument that is a value, null for other arguments and for NULL. */
export function valueType(argument: ArgumentType): SqlType | null {
  if (argument === null || argument.kind === 'lambda' || argument.kind === 'interval-unit') return null;
  return argument.kind === 'text' ? STRING : argument;
}

/** The type with its generics replaced, or null when one is not bound. */
export function substitute(type: ParameterType, generics: ReadonlyMap<string, SqlType>): SqlType | null {
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
