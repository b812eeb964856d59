import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import type { FunctionRegistry, ScalarFunction } from '../../../../src/functions/function.ts';
import {
  compileEvaluator,
  compilePredicate,
  compileProjection,
  evaluateConstant,
} from '../../../../src/sql/expressions/compile.ts';
import type { Expression } from '../../../../src/sql/expressions/expression.ts';
import { Decimal } from '../../../../src/types/decimal.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  type SqlType,
  STRING,
  struct,
} from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';

const context = { now: () => 0, random: () => 0.5 };

const boom: ScalarFunction = {
  kind: 'scalar',
  name: 'BOOM',
  category: 'TEST',
  description: '',
  examples: [],
  nulls: 'handled',
  signatures: [
    {
      parameters: [],
      returns: INTEGER,
      open: () => () => {
        throw new DataError('boom');
      },
    },
  ],
};

const apply: ScalarFunction = {
  ...boom,
  name: 'APPLY',
  nulls: 'propagate',
  signatures: [
    {
      parameters: [],
      returns: INTEGER,
      open: () => ((x: number, f: (x: number) => number) => f(x)) as never,
    },
  ],
};

const registry: FunctionRegistry = new Map([
  ['BOOM', boom],
  ['APPLY', apply],
]);

const literal = (type: SqlType, value: SqlValue): Expression => ({ kind: 'literal', type, value });
const column = (type: SqlType, index: number): Expression => ({ kind: 'column', type, index });
const call = (name: string, ...args: Expression[]): Expression => ({
  kind: 'call',
  type: INTEGER,
  name,
  signature: 0,
  args,
});
const binary = (
  type: SqlType,
  operator: '+' | '-' | '*' | '/' | '%',
  left: Expression,
  right: Expression,
): Expression => ({
  kind: 'arithmetic',
  type,
  operator,
  left,
  right,
});
const evaluate = (expression: Expression, row: readonly SqlValue[] = []): SqlValue =>
  compileEvaluator(expression, registry, context)(row);

describe('arithmetic', () => {
  const ints = (a: number, op: '+' | '-' | '*' | '/' | '%', b: number): SqlValue =>
    evaluate(binary(INTEGER, op, literal(INTEGER, a), literal(INTEGER, b)));

  test('INTEGER wraps at 32 bits as Java does', () => {
    expect(ints(2147483647, '+', 1)).toBe(-2147483648);
    expect(ints(-2147483648, '-', 1)).toBe(2147483647);
    expect(ints(65537, '*', 65537)).toBe(131073);
    expect(ints(-7, '/', 2)).toBe(-3);
    expect(ints(-7, '%', 2)).toBe(-1);
    expect(ints(-2147483648, '/', -1)).toBe(-2147483648);
    expect(Object.is(ints(-4, '%', 2), 0)).toBe(true);
  });

  test('BIGINT is exact beyond safe integers and wraps at 64 bits', () => {
    const sum = binary(BIGINT, '+', column(BIGINT, 0), literal(BIGINT, 1));
    expect(evaluate(sum, [Number.MAX_SAFE_INTEGER])).toBe(9007199254740992n);
    expect(evaluate(sum, [2n ** 63n - 1n])).toBe(-(2n ** 63n));
    expect(evaluate(sum, [-9007199254740992n])).toBe(-Number.MAX_SAFE_INTEGER);
  });

  test('DECIMAL keeps its declared scale, and what does not fit raises', () => {
    const type = decimal(3, 1);
    const sum = binary(type, '+', column(type, 0), column(type, 1));
    expect(evaluate(sum, [Decimal.parse('1.5'), Decimal.parse('2.5')])).toEqual(new Decimal(40n, 1));
    expect(() => evaluate(sum, [Decimal.parse('99.9'), Decimal.parse('0.1')])).toThrow(DataError);
  });

  test('null and division by zero raise', () => {
    expect(() => evaluate(binary(INTEGER, '+', column(INTEGER, 0), literal(INTEGER, 1)), [null])).toThrow(
      DataError,
    );
    expect(() => ints(1, '/', 0)).toThrow('division by zero');
    expect(() => ints(1, '%', 0)).toThrow('division by zero');
    expect(evaluate(binary(DOUBLE, '/', literal(DOUBLE, 1), literal(DOUBLE, 0)))).toBe(Infinity);
  });
});

describe('comparisons are two-valued, conditions three-valued', () => {
  const equals = (operator: '=' | '<>' | 'is-distinct' | 'is-not-distinct'): Expression => ({
    kind: 'comparison',
    type: BOOLEAN,
    operator,
    left: column(INTEGER, 0),
    right: column(INTEGER, 1),
  });

  test('a comparison with null is false, also when negated', () => {
    expect(evaluate(equals('='), [null, null])).toBe(false);
    expect(evaluate(equals('<>'), [null, 1])).toBe(false);
    expect(evaluate({ kind: 'not', type: BOOLEAN, operand: equals('=') }, [null, 1])).toBe(true);
    expect(evaluate(equals('is-not-distinct'), [null, null])).toBe(true);
    expect(evaluate(equals('is-distinct'), [null, 1])).toBe(true);
  });

  test('IN: null is in no list, and null items are no items', () => {
    const inList = (negated: boolean, ...values: (number | null)[]): Expression => ({
      kind: 'in',
      type: BOOLEAN,
      operand: column(INTEGER, 0),
      items: values.map((value) => literal(INTEGER, value)),
      negated,
    });
    expect(evaluate(inList(false, 1, null), [null])).toBe(false);
    expect(evaluate(inList(true, 1, null), [null])).toBe(true);
    expect(evaluate(inList(false, 1, 2, 3, 4, 5, 6), [6])).toBe(true);
    expect(evaluate(inList(false, 1, 2, 3, 4, 5, 6), [7])).toBe(false);
  });

  test('AND, OR and NOT know null as unknown', () => {
    const answers = (operator: 'and' | 'or'): readonly SqlValue[] =>
      TRUTHS.flatMap((left) =>
        TRUTHS.map((right) => {
          const value = evaluate(logical(operator, column(BOOLEAN, 0), column(BOOLEAN, 1)), [left, right]);
          // The same with operands of which one is known.
          expect(evaluate(logical(operator, literal(BOOLEAN, left), column(BOOLEAN, 0)), [right])).toBe(
            value,
          );
          expect(evaluate(logical(operator, column(BOOLEAN, 0), literal(BOOLEAN, right)), [left])).toBe(
            value,
          );
          return value;
        }),
      );
    expect(answers('and')).toEqual([true, false, null, false, false, false, null, false, null]);
    expect(answers('or')).toEqual([true, true, true, true, false, null, true, null, null]);
    const negation: Expression = { kind: 'not', type: BOOLEAN, operand: column(BOOLEAN, 0) };
    expect(TRUTHS.map((value) => evaluate(negation, [value]))).toEqual([false, true, null]);
  });

  test('AND and OR stop where the left settles it', () => {
    const fails: Expression = {
      kind: 'comparison',
      type: BOOLEAN,
      operator: '=',
      left: call('BOOM'),
      right: literal(INTEGER, 1),
    };
    expect(evaluate(logical('and', column(BOOLEAN, 0), fails), [false])).toBe(false);
    expect(evaluate(logical('or', column(BOOLEAN, 0), fails), [true])).toBe(true);
    expect(() => evaluate(logical('or', column(BOOLEAN, 0), fails), [null])).toThrow('boom');
  });

  test('a condition that is null does not hold, and is no error', () => {
    const errors: string[] = [];
    const passes = (expression: Expression, row: readonly SqlValue[]): boolean =>
      compilePredicate(expression, registry, context, (error) => void errors.push(error.message))(row);
    const fails: Expression = {
      kind: 'comparison',
      type: BOOLEAN,
      operator: '=',
      left: call('BOOM'),
      right: literal(INTEGER, 1),
    };
    expect(passes(column(BOOLEAN, 0), [null])).toBe(false);
    expect(passes(logical('and', column(BOOLEAN, 0), column(BOOLEAN, 1)), [true, null])).toBe(false);
    expect(passes(logical('and', column(BOOLEAN, 0), column(BOOLEAN, 1)), [true, true])).toBe(true);
    expect(passes(logical('or', column(BOOLEAN, 0), column(BOOLEAN, 1)), [null, true])).toBe(true);
    // What is behind an operand that does not hold is not evaluated, as if each were a filter.
    expect(passes(logical('and', column(BOOLEAN, 0), fails), [null])).toBe(false);
    expect(errors).toEqual([]);
  });

  test('CASE goes on where WHEN is null, LIKE of null is null', () => {
    const text = (value: string): Expression => literal(STRING, value);
    const choice: Expression = {
      kind: 'case',
      type: STRING,
      branches: [{ when: column(BOOLEAN, 0), result: text('when') }],
      otherwise: text('else'),
    };
    expect(TRUTHS.map((value) => evaluate(choice, [value]))).toEqual(['when', 'else', 'else']);
    const like = (pattern: Expression): Expression => ({
      kind: 'like',
      type: BOOLEAN,
      operand: column(STRING, 0),
      pattern,
      escape: null,
      negated: true,
    });
    expect(evaluate(like(text('a%')), [null])).toBe(null);
    expect(evaluate(like(column(STRING, 1)), ['a', null])).toBe(null);
    expect(evaluate(like(column(STRING, 1)), ['a', 'b%'])).toBe(true);
  });
});

const TRUTHS = [true, false, null] as const;

function logical(operator: 'and' | 'or', left: Expression, right: Expression): Expression {
  return { kind: 'logical', type: BOOLEAN, operator, left, right };
}

test('in a projection an error makes just its item null and names it', () => {
  const errors: [number, string][] = [];
  const project = compileProjection(
    [
      column(INTEGER, 1),
      binary(INTEGER, '+', column(INTEGER, 0), literal(INTEGER, 1)),
      call('BOOM'),
      binary(INTEGER, '*', column(INTEGER, 1), literal(INTEGER, 2)),
    ],
    registry,
    context,
    (item, error) => void errors.push([item, error.message]),
  );
  const target: SqlValue[] = [9, 9, 9, 9];
  project([null, 21], target);
  expect(target).toEqual([21, null, null, 42]);
  expect(errors).toEqual([
    [1, 'arithmetic on a null value'],
    [2, 'boom'],
  ]);
});

test('a guarded part becomes null alone, the rest goes on', () => {
  const errors: string[] = [];
  const items: Expression = {
    kind: 'array',
    type: array(INTEGER),
    items: [
      { ...call('BOOM'), guarded: true },
      { ...binary(INTEGER, '/', literal(INTEGER, 1), column(INTEGER, 0)), guarded: true },
      literal(INTEGER, 3),
    ],
  };
  const value = compileEvaluator(items, registry, context, (error) => void errors.push(error.message))([0]);
  expect(value).toEqual([null, null, 3]);
  expect(errors).toEqual(['boom', 'division by zero']);
});

test('lambdas see their parameters, the row and constants', () => {
  const body = binary(INTEGER, '+', { kind: 'parameter', type: INTEGER, id: 0 }, column(INTEGER, 0));
  expect(
    evaluate(
      call('APPLY', literal(INTEGER, 40), { kind: 'lambda', type: INTEGER, parameters: [0], body }),
      [2],
    ),
  ).toBe(42);
});

test('CASE evaluates the branch it takes and no other', () => {
  const chosen: Expression = {
    kind: 'case',
    type: INTEGER,
    branches: [{ when: column(BOOLEAN, 0), result: literal(INTEGER, 1) }],
    otherwise: call('BOOM'),
  };
  expect(evaluate(chosen, [true])).toBe(1);
  expect(() => evaluate(chosen, [false])).toThrow('boom');
});

test('subscripts count from one, and from the end below zero; what is not there is null', () => {
  const at = (index: number): SqlValue =>
    evaluate(
      {
        kind: 'subscript',
        type: INTEGER,
        operand: column(array(INTEGER), 0),
        index: literal(INTEGER, index),
      },
      [[7, 8, 9]],
    );
  expect([at(1), at(3), at(-1), at(-3), at(0), at(4), at(-4)]).toEqual([7, 9, 9, 7, null, null, null]);
  const entry: Expression = {
    kind: 'subscript',
    type: INTEGER,
    operand: {
      kind: 'map',
      type: map(STRING, INTEGER),
      entries: [{ key: literal(STRING, 'a'), value: literal(INTEGER, 1) }],
    },
    index: column(STRING, 0),
  };
  expect([evaluate(entry, ['a']), evaluate(entry, ['b'])]).toEqual([1, null]);
  const type = struct([{ name: 'A', type: INTEGER }]);
  expect(evaluate({ kind: 'field', type: INTEGER, operand: column(type, 0), index: 0 }, [null])).toBeNull();
});

test('no text of a user becomes code', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(evaluateConstant(literal(STRING, text), registry, context)).toBe(text);
      const same: Expression = {
        kind: 'comparison',
        type: BOOLEAN,
        operator: '=',
        left: column(STRING, 0),
        right: literal(STRING, text),
      };
      expect(evaluate(same, [text])).toBe(true);
    }),
  );
  for (const text of ["'; throw 1; '", '`${1}`', '\u2028', '*/ 1 /*', '\\'])
    expect(evaluate(literal(STRING, text))).toBe(text);
});

/** What the generated code must agree with: the rules, written down as an interpreter of INTEGER expressions. */
function interpret(e: Expression, row: readonly SqlValue[]): SqlValue {
  switch (e.kind) {
    case 'literal':
      return e.value;
    case 'column':
      return row[e.index]!;
    case 'arithmetic': {
      const a = interpret(e.left, row);
      const b = interpret(e.right, row);
      if (typeof a !== 'number' || typeof b !== 'number') throw new DataError('null');
      if ((e.operator === '/' || e.operator === '%') && b === 0) throw new DataError('zero');
      const x = BigInt(a);
      const y = BigInt(b);
      const exact = {
        '+': () => x + y,
        '-': () => x - y,
        '*': () => x * y,
        '/': () => x / y,
        '%': () => x % y,
      }[e.operator]();
      return Number(BigInt.asIntN(32, exact));
    }
    case 'comparison': {
      const a = interpret(e.left, row);
      const b = interpret(e.right, row);
      if (e.operator === 'is-distinct') return a !== b;
      if (a === null || b === null) return false;
      return e.operator === '<'
        ? a < b
        : e.operator === '>='
          ? a >= b
          : e.operator === '='
            ? a === b
            : a !== b;
    }
    case 'logical': {
      const a = condition(e.left, row);
      return e.operator === 'and' ? a && condition(e.right, row) : a || condition(e.right, row);
    }
    case 'not':
      return !condition(e.operand, row);
    case 'is-null':
      return (interpret(e.operand, row) === null) !== e.negated;
    case 'case': {
      const branch = e.branches.find((each) => condition(each.when, row));
      if (branch !== undefined) return interpret(branch.result, row);
      return e.otherwise === null ? null : interpret(e.otherwise, row);
    }
    default:
      throw new Error(e.kind);
  }
}

function condition(e: Expression, row: readonly SqlValue[]): boolean {
  const value = interpret(e, row);
  if (value === null) throw new DataError('null');
  return value as boolean;
}

const { integer } = fc.letrec<{ integer: Expression; condition: Expression }>((tie) => ({
  integer: fc.oneof(
    { maxDepth: 5 },
    fc.nat(2).map((index) => column(INTEGER, index)),
    fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 })).map((value) => literal(INTEGER, value)),
    fc
      .tuple(fc.constantFrom('+', '-', '*', '/', '%'), tie('integer'), tie('integer'))
      .map(([operator, left, right]) => binary(INTEGER, operator as '+', left, right)),
    fc
      .tuple(tie('condition'), tie('integer'), fc.option(tie('integer')))
      .map(([when, then, otherwise]): Expression => ({
        kind: 'case',
        type: INTEGER,
        branches: [{ when, result: then }],
        otherwise,
      })),
  ),
  condition: fc.oneof(
    { maxDepth: 5 },
    fc.boolean().map((value) => literal(BOOLEAN, value)),
    fc
      .tuple(fc.constantFrom('<', '>=', '=', '<>', 'is-distinct'), tie('integer'), tie('integer'))
      .map(([operator, left, right]): Expression => ({
        kind: 'comparison',
        type: BOOLEAN,
        operator: operator as '<',
        left,
        right,
      })),
    fc
      .tuple(fc.constantFrom('and', 'or'), tie('condition'), tie('condition'))
      .map(([operator, left, right]): Expression => ({
        kind: 'logical',
        type: BOOLEAN,
        operator: operator as 'and',
        left,
        right,
      })),
    tie('condition').map((operand): Expression => ({ kind: 'not', type: BOOLEAN, operand })),
    tie('integer').map((operand): Expression => ({
      kind: 'is-null',
      type: BOOLEAN,
      operand,
      negated: false,
    })),
  ),
}));

test('generated code agrees with the rules on any expression', () => {
  const rowOf = fc.array(fc.option(fc.oneof(fc.integer(), fc.integer({ min: -2, max: 2 }))), {
    minLength: 3,
    maxLength: 3,
  });
  const attempt = (f: () => SqlValue): SqlValue => {
    try {
      return f();
    } catch (error) {
      if (error instanceof DataError) return 'raised';
      throw error;
    }
  };
  fc.assert(
    fc.property(integer, rowOf, (expression, row) => {
      const expected = attempt(() => interpret(expression, row));
      expect(attempt(() => evaluate(expression, row))).toBe(expected);
      const target: SqlValue[] = [];
      let errors = 0;
      compileProjection([expression], registry, context, () => void errors++)(row, target);
      expect(target[0]).toBe(expected === 'raised' ? null : expected);
      expect(errors).toBe(expected === 'raised' ? 1 : 0);
    }),
    { numRuns: 500 },
  );
});

describe('what is long', () => {
  const TERMS = 100_000;
  const equal = (left: Expression, right: Expression): Expression => ({
    kind: 'comparison',
    type: BOOLEAN,
    operator: '=',
    left,
    right,
  });
  const chain = (operator: '+' | 'and' | 'or', item: (at: number) => Expression): Expression => {
    let left = item(0);
    for (let at = 1; at < TERMS; at++)
      left =
        operator === '+'
          ? { kind: 'arithmetic', type: left.type, operator, left, right: item(at) }
          : { kind: 'logical', type: BOOLEAN, operator, left, right: item(at) };
    return left;
  };

  test('a chain is evaluated from left to right', () => {
    const sum = chain('+', (at) => (at % 2 === 0 ? column(INTEGER, 0) : literal(INTEGER, at)));
    let expected = 0;
    for (let at = 0; at < TERMS; at++) expected = (expected + (at % 2 === 0 ? 3 : at)) | 0;
    expect(compileEvaluator(sum, registry, context)([3])).toBe(expected);
    const text = chain('+', (at) => (at === 0 ? literal(STRING, '<') : column(STRING, 0)));
    expect(compileEvaluator(text, registry, context)(['ab'])).toBe(`<${'ab'.repeat(TERMS - 1)}`);
  });

  test('a chain of conditions stops where it is decided', () => {
    const boomAt = (place: number, otherwise: boolean) => (at: number) =>
      at === place
        ? equal(call('BOOM'), literal(INTEGER, 1))
        : at === place - 1
          ? column(BOOLEAN, 0)
          : literal(BOOLEAN, otherwise);
    for (const [operator, decided] of [
      ['and', false],
      ['or', true],
    ] as const) {
      const evaluate = compileEvaluator(chain(operator, boomAt(TERMS - 5, !decided)), registry, context);
      expect(evaluate([decided])).toBe(decided);
      expect(() => evaluate([!decided])).toThrow('boom');
    }
  });

  test('guards that begin with each other catch what is theirs', () => {
    const errors: string[] = [];
    let guarded: Expression = { ...call('BOOM'), guarded: true };
    for (let at = 0; at < TERMS / 5; at++)
      guarded = {
        kind: 'call',
        type: INTEGER,
        name: 'APPLY',
        signature: 0,
        args: [guarded, { kind: 'lambda', type: INTEGER, parameters: [at], body: literal(INTEGER, 1) }],
        guarded: true,
      };
    expect(
      compileEvaluator(guarded, registry, context, (error) => errors.push(error.message))([1]),
    ).toBeNull();
    expect(errors).toEqual(['boom']);
  });

  test('CASE, IN and constructors of many parts fit into one function', () => {
    const a = column(INTEGER, 0);
    const next = (at: number): Expression => binary(INTEGER, '+', a, literal(INTEGER, at));
    const items = Array.from({ length: TERMS }, (_, at) => next(at));
    const branches = items.map((item, at) => ({
      when: equal(item, literal(INTEGER, TERMS)),
      result: literal(STRING, `r${at}`),
    }));
    const evaluate = (expression: Expression): SqlValue =>
      compileEvaluator(expression, registry, context)([2]);
    expect(evaluate({ kind: 'case', type: STRING, branches, otherwise: null })).toBe(`r${TERMS - 2}`);
    const list = { kind: 'in', type: BOOLEAN, items, negated: false } as const;
    expect(evaluate({ ...list, operand: literal(INTEGER, TERMS + 1) })).toBe(true);
    expect(evaluate({ ...list, operand: literal(INTEGER, TERMS + 2) })).toBe(false);
    expect(evaluate({ kind: 'array', type: array(INTEGER), items })).toHaveLength(TERMS);
  });

  test('a parameter that is shared is evaluated once, also for the lambdas that read it', () => {
    const shared: Expression = { kind: 'parameter', type: INTEGER, id: 7 };
    const body: Expression = {
      kind: 'call',
      type: INTEGER,
      name: 'APPLY',
      signature: 0,
      args: [
        shared,
        { kind: 'lambda', type: INTEGER, parameters: [8], body: binary(INTEGER, '+', shared, shared) },
      ],
    };
    const value = binary(INTEGER, '+', column(INTEGER, 0), literal(INTEGER, 1));
    expect(
      compileEvaluator({ kind: 'let', type: INTEGER, parameter: 7, value, body }, registry, context)([20]),
    ).toBe(42);
  });
});
