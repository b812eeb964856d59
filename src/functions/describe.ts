import { printType } from '../types/print-type.ts';
import type { Example, FunctionRegistry, Parameter, ParameterType, SqlFunction } from './function.ts';

/** The texts of SHOW FUNCTIONS and DESCRIBE FUNCTION, read from the functions' literals. */

/** A type as text: `ARRAY<T>`, `LAMBDA (T) => R`, `DECIMAL`. */
export function describeType(type: ParameterType): string {
  switch (type.kind) {
    case 'generic':
      return type.name;
    case 'any':
      return 'ANY';
    case 'any-decimal':
      return 'DECIMAL';
    case 'any-struct':
      return 'STRUCT';
    case 'interval-unit':
      return 'INTERVALUNIT';
    case 'array':
      return `ARRAY<${describeType(type.element)}>`;
    case 'map':
      return `MAP<${describeType(type.key)}, ${describeType(type.value)}>`;
    case 'lambda':
      return `LAMBDA (${type.parameters.map(describeType).join(', ')}) => ${describeType(type.returns)}`;
    default:
      return printType(type);
  }
}

/** `input STRING, places INTEGER, others T[]` */
export function describeParameters(parameters: readonly Parameter[]): string {
  return parameters
    .map(({ name, type, variadic }) => `${name} ${describeType(type)}${variadic === true ? '[]' : ''}`)
    .join(', ');
}

export interface FunctionListing {
  readonly name: string;
  readonly kind: SqlFunction['kind'];
  readonly category: string;
}

/** SHOW FUNCTIONS: every function by name. */
export function listFunctions(registry: FunctionRegistry): FunctionListing[] {
  return [...registry.values()]
    .map(({ name, kind, category }) => ({ name, kind, category }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export interface SignatureDescription {
  /** Each parameter's name, type as text, whether it repeats, and its description ('' when it has none). */
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly variadic: boolean;
    readonly literal: boolean;
    readonly description: string;
  }[];
  /** The result's type as text; `''` when it follows from the arguments by a rule. */
  readonly returns: string;
}

export interface FunctionDescription extends FunctionListing {
  readonly description: string;
  readonly signatures: readonly SignatureDescription[];
  readonly examples: SqlFunction['examples'];
}

/** DESCRIBE FUNCTION, as data. */
export function describeFunction(fn: SqlFunction): FunctionDescription {
  const signatures = fn.signatures.map((signature): SignatureDescription => {
    const describe = (literal: boolean) => (parameter: Parameter) => ({
      name: parameter.name,
      type: describeType(parameter.type),
      variadic: parameter.variadic === true,
      literal,
      description: parameter.description ?? '',
    });
    const literals = 'literals' in signature ? (signature.literals ?? []) : [];
    return {
      parameters: [...signature.parameters.map(describe(false)), ...literals.map(describe(true))],
      returns:
        typeof signature.returns === 'function' ? ruleText(signature) : describeType(signature.returns),
    };
  });
  const { name, kind, category, description, examples } = fn;
  return { name, kind, category, description, signatures, examples };
}

/** A result that follows from the arguments is nearly always of the family of the first one. */
function ruleText(signature: { readonly parameters: readonly Parameter[] }): string {
  const first = signature.parameters[0];
  return first?.type.kind === 'any-decimal' ? 'DECIMAL' : '';
}

/** `SUM(X) of X INTEGER: (1), (2)  =>  3`, `EXPLODE(ARRAY[1, 2])  =>  rows (1), (2)`. */
function exampleText([sql, result, given]: Example): string {
  const list = (rows: readonly string[]): string => rows.map((row) => `(${row})`).join(', ');
  const of = given === undefined ? '' : ` of ${given.columns}: ${list(given.rows)}`;
  return `${sql}${of}  =>  ${typeof result === 'string' ? result : `rows ${list(result)}`}`;
}

/** DESCRIBE FUNCTION, as people read it. */
export function renderFunction(fn: SqlFunction): string {
  const described = describeFunction(fn);
  const lines = [
    `${described.name} (${described.kind}, ${described.category})`,
    '',
    described.description,
    '',
  ];
  for (const { parameters, returns } of described.signatures) {
    const list = parameters.map((each) => `${each.name} ${each.type}${each.variadic ? '[]' : ''}`).join(', ');
    lines.push(`  ${described.name}(${list})${returns === '' ? '' : ` -> ${returns}`}`);
  }
  if (described.examples.length > 0) {
    lines.push('', 'Examples');
    for (const example of described.examples) lines.push(`  ${exampleText(example)}`);
  }
  return lines.join('\n');
}
