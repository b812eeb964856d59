import { must } from '../../common/assert.ts';
import { DataError } from '../../common/error.ts';
import type { EvaluationContext, FunctionRegistry } from '../../functions/function.ts';
import { addBigint, divBigint, modBigint, mulBigint, negateBigint, subBigint } from '../../types/bigint.ts';
import { openCast } from '../../types/cast.ts';
import { openComparison, openEquality } from '../../types/compare-values.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { asDecimalType } from '../../types/implicit-cast.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Row, SqlValue } from '../../types/value.ts';
import type { Expression } from './expression.ts';
import { openLike } from './like.ts';

/**
 * Expressions become functions, once per query. The code is made of fixed pieces of text, positions and small numbers;
 * literals, helpers and function evaluators are handed in as parameters, so no text of a user is ever part of it.
 *
 * What raises (null in arithmetic, null as a condition, division by zero) leaves by a `break` to where the error is
 * reported, with an error made beforehand: data full of nulls costs no exceptions and no stack traces.
 */

/** The value of the expression over a row. Throws `DataError` when it raises. */
export type Evaluator = (row: Row) => SqlValue;
/** Whether the row passes. An error or null is false. */
export type Predicate = (row: Row) => boolean;
/** Writes each item's value to the slot of its position in `target`, which must not be `row`. */
export type Projection = (row: Row, target: SqlValue[]) => void;

/** Compiles one expression. Errors of guarded parts, which make just the part null, go to `onGuarded`. */
export function compileEvaluator(
  expression: Expression,
  registry: FunctionRegistry,
  context: EvaluationContext,
  onGuarded: (error: DataError) => void = () => {},
): Evaluator {
  const code = new Code(registry, context);
  const guarded = code.constant(onGuarded);
  code.report = (error) => `${guarded}(${error});`;
  code.raise = (error) => `throw ${error};`;
  const value = code.emit(expression);
  code.lines.push(`return ${value.text};`);
  return code.build('row') as Evaluator;
}

/** Compiles a condition. Every error (also of guarded parts) and a null answer is told to `onError`. */
export function compilePredicate(
  expression: Expression,
  registry: FunctionRegistry,
  context: EvaluationContext,
  onError: (error: DataError) => void,
): Predicate {
  const code = new Code(registry, context);
  const report = code.constant(onError);
  code.report = (error) => `${report}(${error});`;
  code.raise = (error) => `{ ${report}(${error}); return false; }`;
  code.attempt(
    () => {
      const value = code.emit(expression);
      code.raiseIfNull(value, NULL_CONDITION);
      code.lines.push(`return ${value.text};`);
    },
    () => 'return false;',
  );
  return code.build('row') as Predicate;
}

/**
 * Compiles a row of expressions into one function. An error in an item makes that item null, is told to `onError`
 * with the item's position, and the others go on.
 */
export function compileProjection(
  expressions: readonly Expression[],
  registry: FunctionRegistry,
  context: EvaluationContext,
  onError: (item: number, error: DataError) => void,
): Projection {
  const code = new Code(registry, context);
  const report = code.constant(onError);
  expressions.forEach((expression, item) => {
    if (expression.kind === 'column') {
      code.lines.push(`target[${item}] = row[${expression.index}];`);
      return;
    }
    code.lines.push(`target[${item}] = null;`);
    code.report = (error) => `${report}(${item}, ${error});`;
    code.raise = (error) => `{ ${report}(${item}, ${error}); break item${item}; }`;
    code.attempt(
      () => {
        const value = code.emit(expression);
        code.lines.push(`target[${item}] = ${value.text};`);
      },
      () => '',
      `item${item}: `,
    );
  });
  return code.build('row, target') as Projection;
}

/** Evaluates an expression that reads no columns, once: constants of INSERT VALUES, pull queries, folding. */
export function evaluateConstant(
  expression: Expression,
  registry: FunctionRegistry,
  context: EvaluationContext,
): SqlValue {
  return compileEvaluator(expression, registry, context)([]);
}

const NULL_ARITHMETIC = new DataError('arithmetic on a null value');
const NULL_CONDITION = new DataError('a condition is null');
const NULL_INDEX = new DataError('a subscript is null');
const NULL_PATTERN = new DataError('LIKE with a null value');
const DIVISION_BY_ZERO = new DataError('division by zero');

/** JavaScript text that is safe to repeat: a name, a literal, or a read of the row. */
interface Operand {
  readonly text: string;
  readonly nullable: boolean;
}

/** Types whose values JavaScript's own operators compare as SQL does. BIGINT too: one shape a value. */
const NATIVE: ReadonlySet<SqlType['kind']> = new Set([
  'boolean',
  'integer',
  'bigint',
  'double',
  'string',
  'date',
  'time',
  'timestamp',
] as const);

const JS_COMPARISON = { '=': '===', '<>': '!==', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const;

/** The function under construction: lines of code, and the values that they refer to by name. */
class Code {
  lines: string[] = [];
  /** Code that reports the error named; evaluation goes on after it. */
  report: (error: string) => string = (error) => `throw ${error};`;
  /** Code that reports the error named and leaves. */
  raise: (error: string) => string = (error) => `throw ${error};`;
  readonly #registry: FunctionRegistry;
  readonly #context: EvaluationContext;
  readonly #constants: unknown[] = [];
  readonly #names = new Map<unknown, string>();
  #temporaries = 0;
  /** Whether something emitted since it was last reset can throw. */
  #throws = false;

  constructor(registry: FunctionRegistry, context: EvaluationContext) {
    this.#registry = registry;
    this.#context = context;
  }

  build(parameters: string): unknown {
    const names = this.#constants.map((_, i) => `c${i}`);
    const body = `'use strict';\nreturn function (${parameters}) {\n${this.lines.join('\n')}\n};`;
    // Nothing of a user is in the text: see the head of this file.
    // oxlint-disable-next-line typescript/no-implied-eval
    return (new Function(...names, body) as (...constants: unknown[]) => unknown)(...this.#constants);
  }

  /** A name for a value that the code refers to. */
  constant(value: unknown): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const name = `c${this.#constants.push(value) - 1}`;
    this.#names.set(value, name);
    return name;
  }

  temporary(): string {
    return `v${this.#temporaries++}`;
  }

  /** Names the value of a piece of code. */
  #let(text: string, nullable: boolean): Operand {
    const name = this.temporary();
    this.lines.push(`const ${name} = ${text};`);
    return { text: name, nullable };
  }

  /** Emits what `body` emits, with a `catch` only if it can throw. `failed` is the code after an error. */
  attempt(body: () => void, failed: () => string, label = ''): void {
    const outerThrows = this.#throws;
    this.#throws = false;
    const outer = this.lines;
    this.lines = [];
    body();
    const inner = this.lines;
    this.lines = outer;
    if (this.#throws) {
      const error = this.temporary();
      this.lines.push(`${label}try {`, ...inner, `} catch (thrown) {`);
      this.lines.push(
        `const ${error} = ${this.constant(asDataError)}(thrown);`,
        this.report(error),
        failed(),
        '}',
      );
    } else if (label === '') this.lines.push(...inner);
    else this.lines.push(`${label}{`, ...inner, '}');
    this.#throws = outerThrows;
  }

  raiseIfNull(operand: Operand, error: DataError): void {
    if (operand.nullable)
      this.lines.push(`if (${operand.text} === null) ${this.raise(this.constant(error))}`);
  }

  /** Emits the code that evaluates the expression, and gives the name of its value. */
  emit(expression: Expression): Operand {
    if (expression.guarded !== true || expression.kind === 'column' || expression.kind === 'literal')
      return this.#emitBare(expression);
    const name = this.temporary();
    const { raise } = this;
    this.lines.push(`let ${name} = null;`);
    this.raise = (error) => `{ ${this.report(error)} break guard_${name}; }`;
    this.attempt(
      () => {
        const value = this.#emitBare(expression);
        this.lines.push(`${name} = ${value.text};`);
      },
      () => '',
      `guard_${name}: `,
    );
    this.raise = raise;
    return { text: name, nullable: true };
  }

  /** Emits in a block of its own, for a part that is evaluated only sometimes; assigns the value to `name`. */
  #emitInto(name: string, expression: Expression, nullError: DataError | null): boolean {
    const value = this.emit(expression);
    if (nullError !== null) this.raiseIfNull(value, nullError);
    this.lines.push(`${name} = ${value.text};`);
    return value.nullable;
  }

  #emitBare(expression: Expression): Operand {
    switch (expression.kind) {
      case 'column':
        return { text: `row[${expression.index}]`, nullable: true };
      case 'literal':
        return this.#literal(expression.value);
      case 'parameter':
        return { text: `p${expression.id}`, nullable: true };
      case 'arithmetic':
        return this.#arithmetic(expression);
      case 'negate': {
        const operand = this.emit(expression.operand);
        this.raiseIfNull(operand, NULL_ARITHMETIC);
        switch (expression.type.kind) {
          case 'integer':
            return this.#let(`-${operand.text} | 0`, false);
          case 'bigint':
            return this.#let(`${this.constant(negateBigint)}(${operand.text})`, false);
          case 'decimal':
            return this.#let(`${operand.text}.negate()`, false);
          default:
            return this.#let(`-${operand.text}`, false);
        }
      }
      case 'comparison':
        return this.#comparison(expression);
      case 'logical': {
        const name = this.temporary();
        this.lines.push(`let ${name};`);
        this.#emitInto(name, expression.left, NULL_CONDITION);
        this.lines.push(expression.operator === 'and' ? `if (${name}) {` : `if (!${name}) {`);
        this.#emitInto(name, expression.right, NULL_CONDITION);
        this.lines.push('}');
        return { text: name, nullable: false };
      }
      case 'not': {
        const operand = this.emit(expression.operand);
        this.raiseIfNull(operand, NULL_CONDITION);
        return this.#let(`!${operand.text}`, false);
      }
      case 'is-null': {
        const operand = this.emit(expression.operand);
        return this.#let(`${operand.text} ${expression.negated ? '!==' : '==='} null`, false);
      }
      case 'in':
        return this.#in(expression);
      case 'like':
        return this.#like(expression);
      case 'case': {
        const name = this.temporary();
        this.lines.push(`let ${name} = null;`);
        for (const branch of expression.branches) {
          const when = this.emit(branch.when);
          this.raiseIfNull(when, NULL_CONDITION);
          this.lines.push(`if (${when.text}) {`);
          this.#emitInto(name, branch.result, null);
          this.lines.push('} else {');
        }
        if (expression.otherwise !== null) this.#emitInto(name, expression.otherwise, null);
        this.lines.push('}'.repeat(expression.branches.length));
        return { text: name, nullable: true };
      }
      case 'cast':
        return this.#cast(this.emit(expression.operand), expression.operand.type, expression.type);
      case 'call':
        return this.#call(expression);
      case 'subscript': {
        const operand = this.emit(expression.operand);
        const index = this.emit(expression.index);
        const isMap = expression.operand.type.kind === 'map';
        if (!isMap) this.raiseIfNull(index, NULL_INDEX);
        const lookUp = isMap ? mapValue : arrayItem;
        return this.#let(`${this.constant(lookUp)}(${operand.text}, ${index.text})`, true);
      }
      case 'field': {
        const operand = this.emit(expression.operand);
        return this.#let(`${operand.text} === null ? null : ${operand.text}[${expression.index}]`, true);
      }
      case 'array':
        return this.#let(`[${expression.items.map((item) => this.emit(item).text).join(', ')}]`, false);
      case 'struct':
        return this.#let(`[${expression.fields.map((field) => this.emit(field).text).join(', ')}]`, false);
      case 'map': {
        const entries = expression.entries.map((entry) => {
          const key = this.emit(entry.key);
          return `[${key.text}, ${this.emit(entry.value).text}]`;
        });
        return this.#let(`new Map([${entries.join(', ')}])`, false);
      }
      case 'lambda': {
        const outer = this.lines;
        const { raise } = this;
        this.lines = [];
        this.raise = (error) => `throw ${error};`;
        const value = this.emit(expression.body);
        const body = [...this.lines, `return ${value.text};`].join('\n');
        this.lines = outer;
        this.raise = raise;
        this.#throws = true;
        return this.#let(
          `(${expression.parameters.map((id) => `p${id}`).join(', ')}) => {\n${body}\n}`,
          false,
        );
      }
    }
  }

  #literal(value: SqlValue): Operand {
    if (value === null) return { text: 'null', nullable: true };
    if (typeof value === 'boolean') return { text: String(value), nullable: false };
    if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0))
      return { text: value < 0 ? `(${value})` : String(value), nullable: false };
    return { text: this.constant(value), nullable: false };
  }

  #arithmetic(expression: Extract<Expression, { kind: 'arithmetic' }>): Operand {
    const { type, operator } = expression;
    const emitOperand = (operand: Expression): Operand => {
      const value = this.emit(operand);
      this.raiseIfNull(value, NULL_ARITHMETIC);
      const wanted = type.kind === 'decimal' ? must(asDecimalType(operand.type)) : type;
      if (wanted.kind === operand.type.kind) return value;
      return { ...this.#cast(value, operand.type, wanted), nullable: false };
    };
    const a = emitOperand(expression.left).text;
    const b = emitOperand(expression.right).text;
    switch (type.kind) {
      case 'integer':
        if (operator === '*') return this.#let(`Math.imul(${a}, ${b})`, false);
        if (operator === '/' || operator === '%')
          this.lines.push(`if (${b} === 0) ${this.raise(this.constant(DIVISION_BY_ZERO))}`);
        return this.#let(`(${a} ${operator} ${b}) | 0`, false);
      case 'bigint':
        if (operator === '/' || operator === '%')
          this.lines.push(`if (${b} === 0) ${this.raise(this.constant(DIVISION_BY_ZERO))}`);
        return this.#let(`${this.constant(BIGINT_OPERATIONS[operator])}(${a}, ${b})`, false);
      case 'decimal': {
        this.#throws = true;
        const call =
          operator === '/' ? `${a}.div(${b}, ${type.scale})` : `${a}.${DECIMAL_OPERATIONS[operator]}(${b})`;
        return this.#let(`${call}.withType(${type.precision}, ${type.scale})`, false);
      }
      default:
        return this.#let(`${a} ${operator} ${b}`, false);
    }
  }

  #comparison(expression: Extract<Expression, { kind: 'comparison' }>): Operand {
    const { operator, left, right } = expression;
    const a = this.emit(left);
    const b = this.emit(right);
    if (operator === 'is-distinct' || operator === 'is-not-distinct') {
      const same = this.#equality(left.type, right.type, a.text, b.text);
      const equal = `(${a.text} === null || ${b.text} === null ? ${a.text} === ${b.text} : ${same})`;
      return this.#let(operator === 'is-distinct' ? `!${equal}` : equal, false);
    }
    const tests = [a, b].filter((operand) => operand.nullable).map((operand) => `${operand.text} !== null`);
    if (left.type.kind === right.type.kind && NATIVE.has(left.type.kind)) {
      tests.push(`${a.text} ${JS_COMPARISON[operator]} ${b.text}`);
    } else if (operator === '=') {
      tests.push(this.#equality(left.type, right.type, a.text, b.text));
    } else if (operator === '<>') {
      tests.push(`!${this.#equality(left.type, right.type, a.text, b.text)}`);
    } else {
      const compare = must(
        openComparison(left.type, right.type),
        'operands of a comparison must have an order',
      );
      tests.push(`${this.constant(compare)}(${a.text}, ${b.text}) ${operator} 0`);
    }
    return this.#let(tests.join(' && '), false);
  }

  /** Code for equality of two values that are not null. */
  #equality(leftType: SqlType, rightType: SqlType, a: string, b: string): string {
    if (leftType.kind === rightType.kind && NATIVE.has(leftType.kind)) return `(${a} === ${b})`;
    const compare = openComparison(leftType, rightType);
    if (compare !== null) return `(${this.constant(compare)}(${a}, ${b}) === 0)`;
    return `${this.constant(openEquality(leftType))}(${a}, ${b})`;
  }

  #in(expression: Extract<Expression, { kind: 'in' }>): Operand {
    const { operand, negated } = expression;
    const items = expression.items.filter((item) => item.kind !== 'literal' || item.value !== null);
    const value = this.emit(operand);
    const present = value.nullable ? `${value.text} !== null && ` : '';
    let test: string;
    if (items.length > 4 && NATIVE.has(operand.type.kind) && items.every((item) => item.kind === 'literal')) {
      const values = new Set(items.map((item) => (item.kind === 'literal' ? item.value : null)));
      test = `${this.constant(values)}.has(${value.text})`;
    } else {
      const tests = items.map((item) => {
        const other = this.emit(item);
        const same = this.#equality(operand.type, item.type, value.text, other.text);
        return other.nullable ? `(${other.text} !== null && ${same})` : same;
      });
      test = tests.length === 0 ? 'false' : `(${tests.join(' || ')})`;
    }
    return this.#let(`${negated ? '!' : ''}(${present}${test})`, false);
  }

  #like(expression: Extract<Expression, { kind: 'like' }>): Operand {
    const { operand, pattern, escape, negated } = expression;
    const value = this.emit(operand);
    this.raiseIfNull(value, NULL_PATTERN);
    const not = negated ? '!' : '';
    if (pattern.kind === 'literal' && typeof pattern.value === 'string')
      return this.#let(`${not}${this.constant(openLike(pattern.value, escape))}(${value.text})`, false);
    const other = this.emit(pattern);
    this.raiseIfNull(other, NULL_PATTERN);
    return this.#let(
      `${not}${this.constant(openLike)}(${other.text}, ${this.constant(escape)})(${value.text})`,
      false,
    );
  }

  #cast(value: Operand, from: SqlType, to: SqlType): Operand {
    if (equalTypes(from, to)) return value;
    // The carriers are the same: a JavaScript number.
    if (from.kind === 'integer' && (to.kind === 'bigint' || to.kind === 'double')) return value;
    const cast = must(openCast(from, to), `no cast from ${from.kind} to ${to.kind}`);
    this.#throws = true;
    return this.#let(`${this.constant(cast)}(${value.text})`, true);
  }

  #call(expression: Extract<Expression, { kind: 'call' }>): Operand {
    const fn = this.#registry.get(expression.name);
    if (fn === undefined || fn.kind !== 'scalar')
      throw new Error(`${expression.name} is not a scalar function`);
    const signature = must(fn.signatures[expression.signature]);
    const argTypes = expression.args.map((arg) => arg.type);
    const evaluate = signature.open(argTypes, expression.type, this.#context);
    const args = expression.args.map((arg) => this.emit(arg));
    this.#throws = true;
    const call = `${this.constant(evaluate)}(${args.map((arg) => arg.text).join(', ')})`;
    if (fn.nulls === 'handled') return this.#let(call, true);
    const nulls = args.filter((arg) => arg.nullable).map((arg) => `${arg.text} === null`);
    return this.#let(nulls.length === 0 ? call : `${nulls.join(' || ')} ? null : ${call}`, true);
  }
}

const BIGINT_OPERATIONS = {
  '+': addBigint,
  '-': subBigint,
  '*': mulBigint,
  '/': divBigint,
  '%': modBigint,
} as const;

const DECIMAL_OPERATIONS = { '+': 'add', '-': 'sub', '*': 'mul', '%': 'mod' } as const;

/** Errors that data can cause. Anything else is a mistake of ours and goes on up. */
function asDataError(error: unknown): DataError {
  if (error instanceof DataError) return error;
  // Strings, arrays and big integers beyond what the machine holds.
  if (error instanceof RangeError) return new DataError(`a value is too large: ${error.message}`);
  throw error;
}

/** 1-based, negative from the end; null when there is no such item. */
function arrayItem(array: readonly SqlValue[] | null, index: number | bigint): SqlValue {
  if (array === null || typeof index === 'bigint') return null;
  return (index > 0 ? array[index - 1] : array[array.length + index]) ?? null;
}

function mapValue(map: ReadonlyMap<SqlValue, SqlValue> | null, key: SqlValue): SqlValue {
  return map?.get(key) ?? null;
}
