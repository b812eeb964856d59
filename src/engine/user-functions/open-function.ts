import { DataError, SqlError } from '../../common/error.ts';
import type {
  AggregateSignature,
  Parameter,
  ParameterType,
  ScalarSignature,
  SqlFunction,
  TableSignature,
} from '../../functions/function.ts';
import { resolveType } from '../../sql/analyzer/resolve-type.ts';
import { Catalog } from '../../sql/catalog/catalog.ts';
import type { TypeExpression } from '../../sql/parser/ast.ts';
import { parseType } from '../../sql/parser/parse.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { Sandbox } from './function-sandbox.ts';
import type { DescribedFunction, DescribedSignature, TypeOrText } from './user-function.ts';
import { fromUser, toUser } from './user-value.ts';

/** A function whose code is in a sandbox, as the registry has functions. Throws `SqlError` for a text that is no type. */
export function openFunction(
  sandbox: Sandbox,
  described: DescribedFunction,
  name: string,
  index: number,
): SqlFunction {
  const documentation = {
    name,
    category: 'USER',
    description: described.description ?? '',
    examples: described.examples ?? [],
  };
  const signatures = described.signatures.map(
    (signature, i) => new UserSignature(sandbox, name, signature, index, i),
  );
  switch (described.kind) {
    case 'scalar':
      return {
        ...documentation,
        kind: 'scalar',
        nulls: 'handled',
        // It is not known what a user's code depends on.
        volatile: true,
        signatures: signatures.map((each) => each.scalar()),
      };
    case 'table':
      return { ...documentation, kind: 'table', signatures: signatures.map((each) => each.table()) };
    case 'aggregate':
      return { ...documentation, kind: 'aggregate', signatures: signatures.map((each) => each.aggregate()) };
  }
}

/** One signature of a function in the sandbox. */
class UserSignature {
  readonly #sandbox: Sandbox;
  readonly #name: string;
  readonly #described: DescribedSignature;
  readonly #index: number;
  readonly #signature: number;
  readonly #parameters: readonly Parameter[];
  readonly #returns: ParameterType;

  constructor(
    sandbox: Sandbox,
    name: string,
    described: DescribedSignature,
    index: number,
    signature: number,
  ) {
    this.#sandbox = sandbox;
    this.#name = name;
    this.#described = described;
    this.#index = index;
    this.#signature = signature;
    this.#parameters = described.parameters.map((text, i) => parameterOf(text, i, described.names));
    this.#returns = parameterType(described.returns);
  }

  scalar(): ScalarSignature {
    const strict = this.#described.strict === true;
    return {
      parameters: this.#parameters,
      returns: this.#returns,
      open:
        (types, returns) =>
        (...args: SqlValue[]) =>
          strict && args.includes(null)
            ? null
            : this.#value(returns, this.#call('evaluate', toUsers(types, args))),
    };
  }

  table(): TableSignature {
    return {
      parameters: this.#parameters,
      returns: this.#returns,
      open: (types) => {
        const returns = resolved(this.#returns, this.#parameters, types);
        return (...args: SqlValue[]) => {
          const rows = this.#call('evaluate', toUsers(types, args));
          return Array.isArray(rows) ? rows.map((row) => this.#value(returns, row)) : [];
        };
      },
    };
  }

  aggregate(): AggregateSignature {
    const { literals = [], state = 'BIGINT', has } = this.#described;
    const literalParameters = literals.map((text, i) => parameterOf(text, i));
    const stateParameter = parameterType(state);
    return {
      parameters: this.#parameters,
      ...(literalParameters.length === 0 ? {} : { literals: literalParameters }),
      returns: this.#returns,
      open: (types, values) => {
        const stateType = resolved(stateParameter, this.#parameters, types);
        const returns = resolved(this.#returns, this.#parameters, types);
        const constants = values.map((value) => value as unknown);
        const state = (value: SqlValue): unknown => toUser(stateType, value);
        const fold =
          (member: string) =>
          (current: SqlValue, ...inputs: SqlValue[]): SqlValue =>
            this.#value(stateType, this.#call(member, [state(current), toUsers(types, inputs), constants]));
        return {
          stateType,
          initial: () => this.#value(stateType, this.#call('initial', [constants])),
          add: fold('add'),
          ...(has.includes('undo') ? { undo: fold('undo') } : {}),
          ...(has.includes('merge')
            ? {
                merge: (left: SqlValue, right: SqlValue) =>
                  this.#value(stateType, this.#call('merge', [state(left), state(right), constants])),
              }
            : {}),
          result: (current) =>
            has.includes('result')
              ? this.#value(returns, this.#call('result', [state(current), constants]))
              : current,
        };
      },
    };
  }

  #call(member: string, args: readonly unknown[]): unknown {
    return this.#sandbox.call(this.#index, this.#signature, member, args);
  }

  /** Throws `DataError`, with the function's name as a call has it, for a value that is not of the type. */
  #value(type: SqlType, value: unknown): SqlValue {
    try {
      return fromUser(type, value);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new DataError(`${this.#name}: ${error.message}`);
    }
  }
}

function toUsers(types: readonly SqlType[], args: readonly SqlValue[]): unknown[] {
  return args.map((arg, i) => toUser(types[i] ?? types.at(-1)!, arg));
}

function parameterOf(text: TypeOrText, i: number, names: readonly string[] = []): Parameter {
  const variadic = typeof text === 'string' && text.endsWith('...');
  const type = parameterType(variadic ? text.slice(0, -3) : text);
  return { name: names[i] ?? `arg${i + 1}`, type, ...(variadic ? { variadic } : {}) };
}

/** Throws `SqlError` for text that is no type. */
function parameterType(text: TypeOrText): ParameterType {
  if (typeof text !== 'string') return text;
  // A DECIMAL of any precision and scale: in SQL it always has both.
  if (/^decimal$/i.test(text.trim())) return { kind: 'any-decimal' };
  return convert(parseType(text.trim()));
}

function convert(type: TypeExpression): ParameterType {
  switch (type.kind) {
    case 'namedType':
      if (type.name === 'ANY') return { kind: 'any' };
      if (/^[A-Z]$/.test(type.name)) return { kind: 'generic', name: type.name };
      return resolveType(type, NO_TYPES);
    case 'arrayType':
      return { kind: 'array', element: convert(type.element) };
    case 'mapType':
      return { kind: 'map', key: convert(type.key), value: convert(type.value) };
    default:
      return resolveType(type, NO_TYPES);
  }
}

const NO_TYPES = new Catalog();

/** A type with its generics replaced by what the arguments made of them. */
function resolved(type: ParameterType, parameters: readonly Parameter[], types: readonly SqlType[]): SqlType {
  const generics = new Map<string, SqlType>();
  parameters.forEach((parameter, i) => bind(parameter.type, types[i], generics));
  const replace = (each: ParameterType): SqlType => {
    switch (each.kind) {
      case 'generic': {
        const found = generics.get(each.name);
        if (found === undefined) throw new SqlError('ML_TYPE', `nothing says what ${each.name} is`);
        return found;
      }
      case 'array':
        return { kind: 'array', element: replace(each.element) };
      case 'map':
        return { kind: 'map', key: replace(each.key), value: replace(each.value) };
      default:
        return each as SqlType;
    }
  };
  return replace(type);
}

function bind(type: ParameterType, actual: SqlType | undefined, generics: Map<string, SqlType>): void {
  if (actual === undefined) return;
  if (type.kind === 'generic') generics.set(type.name, generics.get(type.name) ?? actual);
  else if (type.kind === 'array' && actual.kind === 'array') bind(type.element, actual.element, generics);
  else if (type.kind === 'map' && actual.kind === 'map') {
    bind(type.key, actual.key, generics);
    bind(type.value, actual.value, generics);
  }
}
