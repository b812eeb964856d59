import { expect, test } from 'vitest';
import { DataError, SqlError } from '../../../src/common/error.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import { analyzeExpression } from '../../../src/sql/analyzer/analyze-expression.ts';
import { compileEvaluator } from '../../../src/sql/expressions/compile.ts';
import { parseExpression } from '../../../src/sql/parser/parse.ts';
import { jsonText } from '../../../src/types/json-value.ts';
import { printType } from '../../../src/types/print-type.ts';
import { constantContext, evaluation } from '../../harness/constant-context.ts';

/**
 * What every pair of types does: casts, arithmetic, comparisons, lists. `-` is refused when the statement is analyzed,
 * `!` fails over the row (null and an entry of the processing log).
 */

/** Expressions that are no literals, which bend more than columns do. */
const VALUES: Readonly<Record<string, string>> = {
  BOOLEAN: 'AS_VALUE(TRUE)',
  INTEGER: 'AS_VALUE(7)',
  BIGINT: 'AS_VALUE(3000000000)',
  DOUBLE: 'AS_VALUE(1.75E0)',
  DECIMAL: 'AS_VALUE(12.75)',
  STRING: "AS_VALUE('1')",
  BYTES: "TO_BYTES('1', 'utf8')",
  DATE: 'FROM_DAYS(1)',
  TIME: "PARSE_TIME('10:11:12', 'HH:mm:ss')",
  TIMESTAMP: 'FROM_UNIXTIME(90061001)',
  ARRAY: 'ARRAY[1, 2]',
  MAP: "MAP('k' := 1)",
  STRUCT: 'STRUCT(A := 1)',
};
const TARGETS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(VALUES).map((name) => [name, name])),
  DECIMAL: 'DECIMAL(4, 1)',
  ARRAY: 'ARRAY<STRING>',
  MAP: 'MAP<STRING, DOUBLE>',
  STRUCT: 'STRUCT<B INTEGER, A STRING>',
};

function evaluate(sql: string): { type: string; value: string } {
  try {
    const expression = analyzeExpression(parseExpression(sql), constantContext);
    let failed = false;
    const evaluator = compileEvaluator(expression, builtinFunctions, evaluation, () => {
      failed = true;
    });
    try {
      const value = jsonText(expression.type)(evaluator([]));
      return { type: printType(expression.type), value: failed ? '!' : value };
    } catch (error) {
      if (error instanceof DataError) return { type: printType(expression.type), value: '!' };
      throw error;
    }
  } catch (error) {
    if (error instanceof SqlError) return { type: '-', value: '-' };
    throw error;
  }
}

const COLUMNS = Object.keys(VALUES);

/** A line for each first type, a cell for each second one, in the order of VALUES. */
function matrix(of: (first: string, second: string) => string): string {
  return COLUMNS.map((first) => `${first}: ${COLUMNS.map((second) => of(first, second)).join(' ')}`).join(
    '\n',
  );
}

const compact = (text: string): string => text.replaceAll(' ', '');

test('what a cast gives', () => {
  const found = matrix((from, to) => compact(evaluate(`CAST(${VALUES[from]} AS ${TARGETS[to]})`).value));
  expect(found).toMatchInlineSnapshot(`
    "BOOLEAN: true - - - - "true" - - - - - - -
    INTEGER: - 7 7 7.0 7.0 "7" - - - - - - -
    BIGINT: - -1294967296 3000000000 3.0E9 ! "3000000000" - - - - - - -
    DOUBLE: - 1 1 1.75 1.8 "1.75" - - - - - - -
    DECIMAL: - 12 12 12.75 12.8 "12.75" - - - - - - -
    STRING: false 1 1 1.0 1.0 "1" ! ! ! ! - - -
    BYTES: - - - - - - "MQ==" - - - - - -
    DATE: - - - - - "1970-01-02" - "1970-01-02" - "1970-01-02T00:00:00.000" - - -
    TIME: - - - - - "10:11:12" - - "10:11:12" - - - -
    TIMESTAMP: - - - - - "1970-01-02T01:01:01.001" - "1970-01-02" "01:01:01" "1970-01-02T01:01:01.001" - - -
    ARRAY: - - - - - "[1,2]" - - - - ["1","2"] - -
    MAP: - - - - - "{k=1}" - - - - - {"k":1.0} -
    STRUCT: - - - - - "Struct{A=1}" - - - - - - {"B":null,"A":"1"}"
  `);
});

test('the type of a sum', () => {
  const found = matrix((left, right) => compact(evaluate(`${VALUES[left]} + ${VALUES[right]}`).type));
  expect(found).toMatchInlineSnapshot(`
    "BOOLEAN: - - - - - - - - - - - - -
    INTEGER: - INTEGER BIGINT DOUBLE DECIMAL(13,2) - - - - - - - -
    BIGINT: - BIGINT BIGINT DOUBLE DECIMAL(22,2) - - - - - - - -
    DOUBLE: - DOUBLE DOUBLE DOUBLE DOUBLE - - - - - - - -
    DECIMAL: - DECIMAL(13,2) DECIMAL(22,2) DOUBLE DECIMAL(5,2) - - - - - - - -
    STRING: - - - - - STRING - - - - - - -
    BYTES: - - - - - - - - - - - - -
    DATE: - - - - - - - - - - - - -
    TIME: - - - - - - - - - - - - -
    TIMESTAMP: - - - - - - - - - - - - -
    ARRAY: - - - - - - - - - - - - -
    MAP: - - - - - - - - - - - - -
    STRUCT: - - - - - - - - - - - - -"
  `);
});

test('the type of two items in an array', () => {
  const found = matrix((left, right) =>
    compact(evaluate(`ARRAY[${VALUES[left]}, ${VALUES[right]}][1]`).type),
  );
  expect(found).toMatchInlineSnapshot(`
    "BOOLEAN: BOOLEAN - - - - - - - - - - - -
    INTEGER: - INTEGER BIGINT DOUBLE DECIMAL(12,2) - - - - - - - -
    BIGINT: - BIGINT BIGINT DOUBLE DECIMAL(21,2) - - - - - - - -
    DOUBLE: - DOUBLE DOUBLE DOUBLE DOUBLE - - - - - - - -
    DECIMAL: - DECIMAL(12,2) DECIMAL(21,2) DOUBLE DECIMAL(4,2) - - - - - - - -
    STRING: - - - - - STRING - - - - - - -
    BYTES: - - - - - - BYTES - - - - - -
    DATE: - - - - - - - DATE - - - - -
    TIME: - - - - - - - - TIME - - - -
    TIMESTAMP: - - - - - - - - - TIMESTAMP - - -
    ARRAY: - - - - - - - - - - ARRAY<INTEGER> - -
    MAP: - - - - - - - - - - - MAP<STRING,INTEGER> -
    STRUCT: - - - - - - - - - - - - STRUCT<AINTEGER>"
  `);
});

test.each(['=', '<>', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM', '<', '<=', '>', '>=', 'IN', 'BETWEEN'])(
  '%s compares the same pairs of types in both directions',
  (operator) => {
    const compares = (left: string, right: string): string => {
      const [a, b] = [VALUES[left], VALUES[right]];
      const sql =
        operator === 'IN'
          ? `${a} IN (${b})`
          : operator === 'BETWEEN'
            ? `${a} BETWEEN ${b} AND ${b}`
            : `${a} ${operator} ${b}`;
      const { type, value } = evaluate(sql);
      if (type === '-') return '.';
      // Text beside a time is read as one, and this text is none.
      return value === '!' ? '!' : 'x';
    };
    const isOrder = ['<', '<=', '>', '>=', 'BETWEEN'].includes(operator);
    expect(matrix(compares).replaceAll(/\w+: /g, '').replaceAll(' ', '').split('\n')).toEqual([
      isOrder ? '.............' : 'x............',
      '.xxxx........',
      '.xxxx........',
      '.xxxx........',
      '.xxxx........',
      '.....x.!!!...',
      '......x......',
      '.....!.x.x...',
      '.....!..x....',
      '.....!.x.x...',
      isOrder ? '.............' : '..........x..',
      isOrder ? '.............' : '...........x.',
      isOrder ? '.............' : '............x',
    ]);
  },
);

test.each([
  ['1', 'INTEGER'],
  ['-2147483648', 'INTEGER'],
  ['2147483648', 'BIGINT'],
  ['-9223372036854775808', 'BIGINT'],
  ['9223372036854775808', '-'],
  ['1e3', 'DOUBLE'],
  ['1E-3', 'DOUBLE'],
  ['1e400', '-'],
  ['1.0', 'DECIMAL(2, 1)'],
  ['-1.50', 'DECIMAL(3, 2)'],
  ['0.05', 'DECIMAL(3, 2)'],
  ['.5', 'DECIMAL(2, 1)'],
  ['1.', 'DECIMAL(1, 0)'],
  ["'it''s'", 'STRING'],
  ['TRUE', 'BOOLEAN'],
  ['NULL', '-'],
])('the literal %s is %s', (sql, type) => {
  expect(evaluate(sql).type).toBe(type);
});

test.each([
  // Literals bend to what stands beside them; columns do not.
  ["ARRAY[1, '2']", '[1,2]'],
  ["ARRAY['1', 2]", '["1","2"]'],
  ["ARRAY[1, 'a']", '-'],
  ["1 IN ('1', '2')", 'true'],
  ["1.5 IN (1, '1.5')", 'true'],
  ["1 IN ('a')", '-'],
  ["1 = '1'", '-'],
  ["1 BETWEEN '0' AND '2'", '-'],
  ["'1970-01-02' = FROM_DAYS(1)", 'true'],
  ["FROM_UNIXTIME(0) < '1970-01-01T00:00:01'", 'true'],
  ["TO_BYTES('a', 'utf8') = 'YQ=='", 'true'],
  ['ARRAY[NULL]', '-'],
  ['ARRAY[1, NULL]', '[1,null]'],
  ['1 = NULL', '-'],
  ['1 + NULL', '-'],
  ['CASE WHEN TRUE THEN 1 ELSE 2.0 END', '-'],
  ['CASE WHEN TRUE THEN 1 ELSE 3000000000 END', '-'],
  ['CASE WHEN FALSE THEN 1 END', 'null'],
  ['COALESCE(NULL, 1, 2.5)', '1.0'],
  ['GREATEST(1, 3000000000)', '-'],
  ["1 || 'b'", '-'],
  ['2147483647 + 1', '-2147483648'],
  ['9223372036854775807 + 1', '-9223372036854775808'],
  ['-7 / 2', '-3'],
  ['-7 % 3', '-1'],
  ['1 / 0', '!'],
  ['1E0 / 0', '"Infinity"'],
])('%s is %s', (sql, value) => {
  expect(evaluate(sql).value).toBe(value);
});
