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
import { conjunctsOf, firstOperand } from './walk.ts';

/**
 * Expressions become functions, once per query. The code is made of fixed pieces of text, positions and small numbers;
 * literals, helpers and function evaluators are handed in as parameters, so no text of a user is ever part of it.
 *
 * Chains of any length become statements one after another, never code within code: V8's parser recurses. Variables are
 * used again, because all of a function's are in its stack frame.
 *
 * An operation that raises (null in arithmetic, division by zero) leaves by a `break` to where the error is
 * reported, with an error made beforehand: data full of nulls costs no exceptions and no stack traces.
 */

/** The value of the expression over a row. Throws `DataError` when it raises. */
export type Evaluator = (row: Row) => SqlValue;
/** Whether the row passes. An error is false, and so is null. `context` is handed to the listener of errors. */
export type Predicate<C = void> = (row: Row, context: C) => boolean;
/** Writes each item's value to the slot of its position in `target`, which must not be `row`. */
export type Projection<C = void> = (row: Row, target: SqlValue[], context: C) => void;

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

/**
 * Compiles a condition. Every error (also of guarded parts) is told to `onError`. Of operands joined by AND those behind
 * one that does not hold are not evaluated, be it false or null: the same as if each were a filter of its own.
 */
export function compilePredicate<C = void>(
  expression: Expression,
  registry: FunctionRegistry,
  context: EvaluationContext,
  onError: (error: DataError, context: C) => void,
): Predicate<C> {
  const code = new Code(registry, context);
  const report = code.constant(onError);
  code.report = (error) => `${report}(${error}, context);`;
  code.raise = (error) => `{ ${report}(${error}, context); return false; }`;
  code.attempt(() => {
    const conjuncts = conjunctsOf(expression);
    for (const conjunct of conjuncts.slice(0, -1)) {
      const value = code.emit(conjunct);
      code.lines.push(`if (!${value.text}) return false;`);
      code.variables.release(value);
    }
    const last = code.emit(conjuncts.at(-1)!);
    code.lines.push(`return ${last.text}${last.nullable ? ' === true' : ''};`);
  }, 'return false;');
  return code.build('row, context') as Predicate<C>;
}

/**
 * Compiles a row of expressions into one function. An error in an item makes that item null, is told to `onError`
 * with the item's position, and the others go on.
 */
export function compileProjection<C = void>(
  expressions: readonly Expression[],
  registry: FunctionRegistry,
  context: EvaluationContext,
  onError: (item: number, error: DataError, context: C) => void,
): Projection<C> {
  const code = new Code(registry, context);
  const report = code.constant(onError);
  expressions.forEach((expression, item) => {
    if (expression.kind === 'column') {
      code.lines.push(`target[${item}] = row[${expression.index}];`);
      return;
    }
    code.lines.push(`target[${item}] = null;`);
    code.report = (error) => `${report}(${item}, ${error}, context);`;
    code.raise = (error) => `{ ${report}(${item}, ${error}, context); break item${item}; }`;
    code.attempt(
      () => {
        const value = code.emit(expression);
        code.lines.push(`target[${item}] = ${value.text};`);
        code.variables.release(value);
      },
      '',
      `item${item}: `,
    );
  });
  return code.build('row, target, context') as Projection<C>;
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
const NULL_INDEX = new DataError('a subscript is null');
const DIVISION_BY_ZERO = new DataError('division by zero');

/** JavaScript text that is safe to repeat: a name, a literal, or a read of the row. */
interface Operand {
  readonly text: string;
  readonly nullable: boolean;
  /** The variable that it is. */
  readonly variable?: number;
}

/** More variables than this are kept in an array: stack frames stay small, also of lambdas within lambdas. */
const NAMED_VARIABLES_MAX = 200;

/** The variables of one function. One whose value was used is used again. */
class Variables {
  /** Begins their names. A lambda may read those of the functions around it. */
  readonly prefix: string;
  readonly #free: number[] = [];
  #count = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  take(nullable: boolean): Operand & { readonly variable: number } {
    const variable = this.#free.pop() ?? this.#count++;
    const text =
      variable < NAMED_VARIABLES_MAX
        ? `${this.prefix}v${variable}`
        : `${this.prefix}more[${variable - NAMED_VARIABLES_MAX}]`;
    return { text, nullable, variable };
  }

  /** Nothing emitted from here on reads the operands. */
  release(...operands: readonly Operand[]): void {
    for (const { variable } of operands) if (variable !== undefined) this.#free.push(variable);
  }

  /** The statement that declares them. */
  declare(): string {
    const named = Array.from(
      { length: Math.min(this.#count, NAMED_VARIABLES_MAX) },
      (_, i) => `${this.prefix}v${i}`,
    );
    if (this.#count > NAMED_VARIABLES_MAX)
      named.push(`${this.prefix}more = new Array(${this.#count - NAMED_VARIABLES_MAX}).fill(null)`);
    return named.length === 0 ? '' : `let ${named.join(', ')};`;
  }
}

/** More constants than this are handed in as an array: a function has at most 65,535 parameters. */
const NAMED_CONSTANTS_MAX = 1000;

/** Constructors of more items than this are filled one by one. */
const ITEMS_AT_ONCE = 32;

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
  variables = new Variables('');
  /** The operand of each enclosing `let`, by the id of its parameter. */
  readonly #shared = new Map<number, Operand>();
  #labels = 0;
  /** Whether something emitted since it was last reset can throw. */
  #throws = false;

  constructor(registry: FunctionRegistry, context: EvaluationContext) {
    this.#registry = registry;
    this.#context = context;
  }

  build(parameters: string): unknown {
    const named = this.#constants.slice(0, NAMED_CONSTANTS_MAX);
    const names = named.map((_, i) => `c${i}`);
    const body = `'use strict';\nreturn function (${parameters}) {\n${this.variables.declare()}\n${this.lines.join('\n')}\n};`;
    // Nothing of a user is in the text: see the head of this file.
    // oxlint-disable-next-line typescript/no-implied-eval
    const make = new Function(...names, 'others', body) as (...constants: unknown[]) => unknown;
    return make(...named, this.#constants.slice(NAMED_CONSTANTS_MAX));
  }

  /** A name for a value that the code refers to. */
  constant(value: unknown): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const at = this.#constants.push(value) - 1;
    const name = at < NAMED_CONSTANTS_MAX ? `c${at}` : `others[${at - NAMED_CONSTANTS_MAX}]`;
    this.#names.set(value, name);
    return name;
  }

  /** A variable with the value of a piece of code, which is the last that reads `used`. */
  #let(text: string, nullable: boolean, ...used: readonly Operand[]): Operand {
    this.variables.release(...used);
    const variable = this.variables.take(nullable);
    if (variable.text !== text) this.lines.push(`${variable.text} = ${text};`);
    return variable;
  }

  /** Emits what `body` emits, with a `catch` only if it can throw. `failed` is the code after an error. */
  attempt(body: () => void, failed: string, label = ''): void {
    const outerThrows = this.#throws;
    this.#throws = false;
    const outer = this.lines;
    this.lines = [];
    body();
    const inner = this.lines;
    this.lines = outer;
    if (this.#throws) this.lines.push(`${label}try {`);
    else if (label !== '') this.lines.push(`${label}{`);
    for (const line of inner) this.lines.push(line);
    if (this.#throws)
      this.lines.push(
        `} catch (thrown) {`,
        this.report(`${this.constant(asDataError)}(thrown)`),
        failed,
        '}',
      );
    else if (label !== '') this.lines.push('}');
    this.#throws = outerThrows;
  }

  raiseIfNull(operand: Operand, error: DataError): void {
    if (operand.nullable)
      this.lines.push(`if (${operand.text} === null) ${this.raise(this.constant(error))}`);
  }

  /** Emits the code that evaluates the expression, and gives the name of its value. */
  emit(expression: Expression): Operand {
    // From the expression down to what is evaluated first; chains are long along this line alone.
    const line: Expression[] = [];
    for (let node: Expression | undefined = expression; node !== undefined; node = firstOperand(node))
      line.push(node);
    let value: Operand | null = null;
    while (line.length > 0) {
      // A guarded part encloses everything begun since the last guard, whose own errors never leave it.
      let top = line.length - 1;
      while (top > 0 && !isGuarded(line[top]!)) top--;
      const part = line.splice(top).toReversed();
      value = isGuarded(part.at(-1)!) ? this.#emitGuarded(part, value) : this.#emitLine(part, value);
    }
    return value!;
  }

  /** The nodes one after another, each over the value of the one before it. */
  #emitLine(nodes: readonly Expression[], first: Operand | null): Operand {
    let value = first;
    for (const node of nodes) value = this.#emitNode(node, value);
    return value!;
  }

  #emitGuarded(nodes: readonly Expression[], first: Operand | null): Operand {
    const guarded = this.variables.take(true);
    const label = `guard${this.#labels++}`;
    const { raise } = this;
    this.lines.push(`${guarded.text} = null;`);
    this.raise = (error) => `{ ${this.report(error)} break ${label}; }`;
    this.attempt(
      () => {
        const value = this.#emitLine(nodes, first);
        this.lines.push(`${guarded.text} = ${value.text};`);
        this.variables.release(value);
      },
      '',
      `${label}: `,
    );
    this.raise = raise;
    return guarded;
  }

  /** Emits in a block of its own, for a part that is evaluated only sometimes; assigns the value to `target`. */
  #emitInto(target: Operand, expression: Expression): void {
    const value = this.emit(expression);
    this.lines.push(`${target.text} = ${value.text};`);
    this.variables.release(value);
  }

  /** `first`: the value of the node's first operand, where it has one. */
  #emitNode(expression: Expression, first: Operand | null): Operand {
    switch (expression.kind) {
      case 'column':
        return { text: `row[${expression.index}]`, nullable: true };
      case 'literal':
        return this.#literal(expression.value);
      case 'parameter':
        return this.#shared.get(expression.id) ?? { text: `p${expression.id}`, nullable: true };
      case 'let':
        return this.#share(expression, must(first));
      case 'arithmetic':
        return this.#arithmetic(expression, must(first));
      case 'negate': {
        const operand = must(first);
        this.raiseIfNull(operand, NULL_ARITHMETIC);
        switch (expression.type.kind) {
          case 'integer':
            return this.#let(`-${operand.text} | 0`, false, operand);
          case 'bigint':
            return this.#let(`${this.constant(negateBigint)}(${operand.text})`, false, operand);
          case 'decimal':
            return this.#let(`${operand.text}.negate()`, false, operand);
          default:
            return this.#let(`-${operand.text}`, false, operand);
        }
      }
      case 'comparison':
        return this.#comparison(expression, must(first));
      case 'logical': {
        return this.#logical(expression, must(first));
      }
      case 'not': {
        const operand = must(first);
        const not = operand.nullable
          ? `${operand.text} === null ? null : !${operand.text}`
          : `!${operand.text}`;
        return this.#let(not, operand.nullable, operand);
      }
      case 'is-null': {
        const operand = must(first);
        return this.#let(`${operand.text} ${expression.negated ? '!==' : '==='} null`, false, operand);
      }
      case 'in':
        return this.#in(expression, must(first));
      case 'like':
        return this.#like(expression, must(first));
      case 'case':
        return this.#case(expression);
      case 'cast':
        return this.#cast(must(first), expression.operand.type, expression.type);
      case 'call':
        return this.#call(expression, first);
      case 'subscript': {
        const operand = must(first);
        const index = this.emit(expression.index);
        const isMap = expression.operand.type.kind === 'map';
        if (!isMap) this.raiseIfNull(index, NULL_INDEX);
        const lookUp = isMap ? mapValue : arrayItem;
        return this.#let(`${this.constant(lookUp)}(${operand.text}, ${index.text})`, true, operand, index);
      }
      case 'field': {
        const operand = must(first);
        return this.#let(
          `${operand.text} === null ? null : ${operand.text}[${expression.index}]`,
          true,
          operand,
        );
      }
      case 'array':
        return this.#list(expression.items);
      case 'struct':
        return this.#list(expression.fields);
      case 'map':
        return this.#map(expression.entries);
      case 'lambda':
        return this.#lambda(expression);
    }
  }

  /** Null is unknown: TRUE OR null is TRUE, and TRUE AND null null. */
  #logical({ operator, right }: Extract<Expression, { kind: 'logical' }>, left: Operand): Operand {
    // The left value that decides alone, so that the right is not evaluated, and the one that leaves it to the right.
    const [settled, open] = operator === 'and' ? ['false', 'true'] : ['true', 'false'];
    const answer = this.#let(left.text, left.nullable, left);
    this.lines.push(`if (${answer.text} !== ${settled}) {`);
    const value = this.emit(right);
    const takes = left.nullable ? `if (${answer.text} === ${open} || ${value.text} === ${settled}) ` : '';
    this.lines.push(`${takes}${answer.text} = ${value.text};`, '}');
    this.variables.release(value);
    return { ...answer, nullable: left.nullable || value.nullable };
  }

  #share({ parameter, body }: Extract<Expression, { kind: 'let' }>, value: Operand): Operand {
    const outer = this.#shared.get(parameter);
    // Without the variable, which is released here and not by those that read it.
    this.#shared.set(parameter, { text: value.text, nullable: value.nullable });
    const result = this.emit(body);
    if (outer === undefined) this.#shared.delete(parameter);
    else this.#shared.set(parameter, outer);
    return result.text === value.text ? value : this.#keep(result, value);
  }

  /** `operand`, where nothing reads the others any more. */
  #keep(operand: Operand, ...used: readonly Operand[]): Operand {
    this.variables.release(...used);
    return operand;
  }

  /** An array with the values of the items. */
  #list(items: readonly Expression[]): Operand {
    if (items.length <= ITEMS_AT_ONCE) {
      const values = items.map((item) => this.emit(item));
      return this.#let(`[${values.map((value) => value.text).join(', ')}]`, false, ...values);
    }
    const list = this.#let('[]', false);
    for (const item of items) {
      const value = this.emit(item);
      this.lines.push(`${list.text}.push(${value.text});`);
      this.variables.release(value);
    }
    return list;
  }

  #map(entries: Extract<Expression, { kind: 'map' }>['entries']): Operand {
    const map = this.#let('new Map()', false);
    for (const entry of entries) {
      const key = this.emit(entry.key);
      const value = this.emit(entry.value);
      this.lines.push(`${map.text}.set(${key.text}, ${value.text});`);
      this.variables.release(key, value);
    }
    return map;
  }

  #case({ branches, otherwise }: Extract<Expression, { kind: 'case' }>): Operand {
    const result = this.variables.take(true);
    const label = `case${this.#labels++}`;
    this.lines.push(`${result.text} = null;`, `${label}: {`);
    for (const branch of branches) {
      const when = this.emit(branch.when);
      this.lines.push(`if (${when.text}) {`);
      this.variables.release(when);
      this.#emitInto(result, branch.result);
      this.lines.push(`break ${label};`, '}');
    }
    if (otherwise !== null) this.#emitInto(result, otherwise);
    this.lines.push('}');
    return result;
  }

  #lambda({ parameters, body }: Extract<Expression, { kind: 'lambda' }>): Operand {
    const { lines, raise, variables } = this;
    this.lines = [];
    this.variables = new Variables(`${variables.prefix}_`);
    this.raise = (error) => `throw ${error};`;
    const hidden = parameters.map((id) => [id, this.#shared.get(id)] as const);
    for (const id of parameters) this.#shared.delete(id);
    const value = this.emit(body);
    for (const [id, operand] of hidden) if (operand !== undefined) this.#shared.set(id, operand);
    const code = `${this.variables.declare()}\n${this.lines.join('\n')}\nreturn ${value.text};`;
    this.lines = lines;
    this.raise = raise;
    this.variables = variables;
    this.#throws = true;
    return this.#let(`(${parameters.map((id) => `p${id}`).join(', ')}) => {\n${code}\n}`, false);
  }

  #literal(value: SqlValue): Operand {
    if (value === null) return { text: 'null', nullable: true };
    if (typeof value === 'boolean') return { text: String(value), nullable: false };
    if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0))
      return { text: value < 0 ? `(${value})` : String(value), nullable: false };
    return { text: this.constant(value), nullable: false };
  }

  #arithmetic(expression: Extract<Expression, { kind: 'arithmetic' }>, first: Operand): Operand {
    const { type, operator } = expression;
    const bring = (value: Operand, operand: Expression): Operand => {
      this.raiseIfNull(value, NULL_ARITHMETIC);
      const wanted = type.kind === 'decimal' ? must(asDecimalType(operand.type)) : type;
      if (wanted.kind === operand.type.kind) return value;
      return { ...this.#cast(value, operand.type, wanted), nullable: false };
    };
    const left = bring(first, expression.left);
    const right = bring(this.emit(expression.right), expression.right);
    const a = left.text;
    const b = right.text;
    switch (type.kind) {
      case 'integer':
        if (operator === '*') return this.#let(`Math.imul(${a}, ${b})`, false, left, right);
        if (operator === '/' || operator === '%')
          this.lines.push(`if (${b} === 0) ${this.raise(this.constant(DIVISION_BY_ZERO))}`);
        return this.#let(`(${a} ${operator} ${b}) | 0`, false, left, right);
      case 'bigint':
        if (operator === '/' || operator === '%')
          this.lines.push(`if (${b} === 0) ${this.raise(this.constant(DIVISION_BY_ZERO))}`);
        return this.#let(`${this.constant(BIGINT_OPERATIONS[operator])}(${a}, ${b})`, false, left, right);
      case 'decimal': {
        this.#throws = true;
        const call =
          operator === '/' ? `${a}.div(${b}, ${type.scale})` : `${a}.${DECIMAL_OPERATIONS[operator]}(${b})`;
        return this.#let(`${call}.withType(${type.precision}, ${type.scale})`, false, left, right);
      }
      default:
        return this.#let(`${a} ${operator} ${b}`, false, left, right);
    }
  }

  #comparison(expression: Extract<Expression, { kind: 'comparison' }>, a: Operand): Operand {
    const { operator, left, right } = expression;
    const b = this.emit(right);
    if (operator === 'is-distinct' || operator === 'is-not-distinct') {
      const same = this.#equality(left.type, right.type, a.text, b.text);
      const equal = `(${a.text} === null || ${b.text} === null ? ${a.text} === ${b.text} : ${same})`;
      return this.#let(operator === 'is-distinct' ? `!${equal}` : equal, false, a, b);
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
    return this.#let(tests.join(' && '), false, a, b);
  }

  /** Code for equality of two values that are not null. */
  #equality(leftType: SqlType, rightType: SqlType, a: string, b: string): string {
    if (leftType.kind === rightType.kind && NATIVE.has(leftType.kind)) return `(${a} === ${b})`;
    const compare = openComparison(leftType, rightType);
    if (compare !== null) return `(${this.constant(compare)}(${a}, ${b}) === 0)`;
    return `${this.constant(openEquality(leftType))}(${a}, ${b})`;
  }

  #in(expression: Extract<Expression, { kind: 'in' }>, value: Operand): Operand {
    const { operand, negated } = expression;
    const items = expression.items.filter((item) => item.kind !== 'literal' || item.value !== null);
    const not = negated ? '!' : '';
    const present = value.nullable ? `${value.text} !== null && ` : '';
    if (items.length > 4 && NATIVE.has(operand.type.kind) && items.every((item) => item.kind === 'literal')) {
      const values = new Set(items.map((item) => (item.kind === 'literal' ? item.value : null)));
      return this.#let(`${not}(${present}${this.constant(values)}.has(${value.text}))`, false, value);
    }
    const isEqual = (item: Expression, other: Operand): string => {
      const same = this.#equality(operand.type, item.type, value.text, other.text);
      return other.nullable ? `(${other.text} !== null && ${same})` : same;
    };
    if (items.length <= ITEMS_AT_ONCE) {
      const others = items.map((item) => this.emit(item));
      const tests = items.map((item, i) => isEqual(item, others[i]!));
      const test = tests.length === 0 ? 'false' : `(${tests.join(' || ')})`;
      return this.#let(`${not}(${present}${test})`, false, value, ...others);
    }
    const found = this.variables.take(false);
    this.lines.push(`${found.text} = false;`);
    // Every item is evaluated, also behind one that is equal: its errors count.
    for (const item of items) {
      const other = this.emit(item);
      this.lines.push(`if (${present}${isEqual(item, other)}) ${found.text} = true;`);
      this.variables.release(other);
    }
    return this.#let(`${not}${found.text}`, false, value, found);
  }

  #like(expression: Extract<Expression, { kind: 'like' }>, value: Operand): Operand {
    const { pattern, escape, negated } = expression;
    const not = negated ? '!' : '';
    const isLiteral = pattern.kind === 'literal' && typeof pattern.value === 'string';
    const other = isLiteral ? null : this.emit(pattern);
    const matches = isLiteral
      ? this.constant(openLike(pattern.value as string, escape))
      : `${this.constant(openLike)}(${other!.text}, ${this.constant(escape)})`;
    const operands = other === null ? [value] : [value, other];
    const nulls = operands.filter(({ nullable }) => nullable).map(({ text }) => `${text} === null`);
    const test = `${not}${matches}(${value.text})`;
    return nulls.length === 0
      ? this.#let(test, false, ...operands)
      : this.#let(`${nulls.join(' || ')} ? null : ${test}`, true, ...operands);
  }

  #cast(value: Operand, from: SqlType, to: SqlType): Operand {
    if (equalTypes(from, to)) return value;
    // The carriers are the same: a JavaScript number.
    if (from.kind === 'integer' && (to.kind === 'bigint' || to.kind === 'double')) return value;
    const cast = must(openCast(from, to), `no cast from ${from.kind} to ${to.kind}`);
    this.#throws = true;
    return this.#let(`${this.constant(cast)}(${value.text})`, true, value);
  }

  #call(expression: Extract<Expression, { kind: 'call' }>, first: Operand | null): Operand {
    const fn = this.#registry.get(expression.name);
    if (fn === undefined || fn.kind !== 'scalar')
      throw new Error(`${expression.name} is not a scalar function`);
    const signature = must(fn.signatures[expression.signature]);
    const argTypes = expression.args.map((arg) => arg.type);
    const evaluate = signature.open(argTypes, expression.type, this.#context);
    const args = expression.args.map((arg, i) => (i === 0 ? must(first) : this.emit(arg)));
    this.#throws = true;
    const call = `${this.constant(evaluate)}(${args.map((arg) => arg.text).join(', ')})`;
    if (fn.nulls === 'handled') return this.#let(call, true, ...args);
    const nulls = args.filter((arg) => arg.nullable).map((arg) => `${arg.text} === null`);
    return this.#let(nulls.length === 0 ? call : `${nulls.join(' || ')} ? null : ${call}`, true, ...args);
  }
}

/** Columns and literals have no errors of their own. */
function isGuarded(expression: Expression): boolean {
  return expression.guarded === true && expression.kind !== 'column' && expression.kind !== 'literal';
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
