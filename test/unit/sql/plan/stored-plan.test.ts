import assert from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataError, SqlError } from '../../../../src/common/error.ts';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { Catalog } from '../../../../src/sql/catalog/catalog.ts';
import type { Expression } from '../../../../src/sql/expressions/expression.ts';
import { optimize } from '../../../../src/sql/optimizer/optimizer.ts';
import { parseStatements } from '../../../../src/sql/parser/parse.ts';
import type { PlanNode } from '../../../../src/sql/plan/node.ts';
import { inputsOf, withInputs } from '../../../../src/sql/plan/plan-inputs.ts';
import { fingerprintOf } from '../../../../src/sql/plan/plan-meaning.ts';
import { loadPlans, storePlans } from '../../../../src/sql/plan/stored-plan.ts';
import { BIGINT, BOOLEAN, BYTES, decimal, DOUBLE, map, STRING } from '../../../../src/types/sql-type.ts';
import { Decimal } from '../../../../src/types/decimal.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import { analyze } from '../analyzer/analyze.ts';
import { filter } from '../../../../src/sql/plan/make.ts';

const CASES = fileURLToPath(new URL('../../../../../shared/conformance/ksqldb/query', import.meta.url));
const CONTEXT = { functions: builtinFunctions, evaluation: { now: () => 0, random: () => 0.5 } };

const SOURCES = `
  CREATE STREAM ORDERS (ID INT KEY, ITEM STRING, AMOUNT BIGINT, SEEN TIMESTAMP)
    WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', TIMESTAMP='SEEN');
  CREATE STREAM VISITS (WHO INT KEY, PAGE STRING) WITH (KAFKA_TOPIC='visits', VALUE_FORMAT='JSON');
  CREATE TABLE USERS (UID INT PRIMARY KEY, NAME STRING, TAGS ARRAY<STRING>)
    WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
`;

function planOf(sql: string): PlanNode {
  return analyze(SOURCES + sql).plan!;
}

function throughText(plans: readonly PlanNode[]): readonly PlanNode[] {
  return loadPlans(JSON.parse(JSON.stringify(storePlans(plans, builtinFunctions))), builtinFunctions);
}

/** Nodes that repeat a source's columns need their names and types only. */
function plain(node: PlanNode): PlanNode {
  const { columns } = node;
  const repeated = withInputs(node, inputsOf(node).map(plain));
  if (node.kind === 'source') return repeated;
  return { ...repeated, columns: columns.map(({ name, type }) => ({ name, type })) } as PlanNode;
}

function optimized(plan: PlanNode): PlanNode {
  return optimize(plan, CONTEXT).plan;
}

const QUERIES = [
  `CREATE TABLE T WITH (KEY_FORMAT='JSON') AS SELECT UCASE(ITEM) AS K, COUNT(*) AS N, TOPK(AMOUNT, 3) AS M
     FROM ORDERS WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 10 MINUTES, GRACE PERIOD 5 MINUTES)
     WHERE AMOUNT BETWEEN 9007199254740993 AND 9223372036854775807 AND ITEM NOT LIKE 'a!%' ESCAPE '!'
     GROUP BY UCASE(ITEM) HAVING COUNT(*) > 1 EMIT FINAL;`,
  `CREATE STREAM S AS SELECT O.ID AS ID, EXPLODE(ARRAY[PAGE, ITEM]) AS E,
     CASE WHEN AMOUNT IN (1, 2) THEN CAST(1.50 AS DECIMAL(5,2)) ELSE NULL END AS C,
     TRANSFORM(MAP('a' := AMOUNT), (K, V) => UCASE(K), (K, V) => V + 1)['A'] AS L, STRUCT(X := 1e0, Y := PAGE)->Y AS Y
     FROM ORDERS O LEFT JOIN VISITS V WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 1 DAY ON O.ID = V.WHO
     WHERE NOT (ITEM IS NULL) AND ITEM <> '';`,
  `CREATE STREAM S AS SELECT ORDERS.ID, NAME, TAGS[1] AS T FROM ORDERS JOIN USERS ON ORDERS.ID = USERS.UID
     PARTITION BY ORDERS.ID;`,
  'CREATE TABLE T AS SELECT * FROM USERS WHERE -UID < -3;',
  'SELECT * FROM ORDERS EMIT CHANGES LIMIT 5;',
];

test.each(QUERIES)('%s', (sql) => {
  const naive = planOf(sql);
  const plans = [naive, optimized(naive)];
  expect(throughText(plans)).toEqual(plans.map(plain));
});

// Every fifth file: the engine itself runs what it has stored, so that every test of it is one of this too.
test.runIf(existsSync(CASES))("plans of ksqlDB's cases, naive and optimized", () => {
  let count = 0;
  const files = readdirSync(CASES).filter((name) => name.endsWith('.json'));
  for (const file of files.filter((_, i) => i % 5 === 0)) {
    const { tests } = JSON.parse(readFileSync(join(CASES, file), 'utf8')) as {
      readonly tests: readonly { readonly statements?: readonly string[] }[];
    };
    for (const { statements } of tests) {
      const catalog = new Catalog();
      try {
        for (const { text } of parseStatements(
          (statements ?? []).join('\n').replaceAll('{FORMAT}', 'JSON'),
        )) {
          const { plan } = analyze(text, undefined, catalog);
          if (plan === undefined) continue;
          const plans = [plan, optimized(plan)];
          // Vitest's own comparison takes ten times as long.
          assert.deepStrictEqual(throughText(plans), plans.map(plain));
          count++;
        }
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
      }
    }
  }
  expect(count).toBeGreaterThan(100);
});

test('every value of a literal, to the bit', () => {
  const literals: fc.Arbitrary<Expression> = fc.oneof(
    fc.double().map((value): Expression => ({ kind: 'literal', type: DOUBLE, value })),
    fc.bigInt().map((value): Expression => ({ kind: 'literal', type: BIGINT, value })),
    fc.string().map((value): Expression => ({ kind: 'literal', type: STRING, value })),
    fc.uint8Array().map((value): Expression => ({ kind: 'literal', type: BYTES, value: Buffer.from(value) })),
    fc.bigInt().map((unscaled): Expression => {
      return { kind: 'literal', type: decimal(100, 3), value: new Decimal(unscaled, 3) };
    }),
    fc.dictionary(fc.string(), fc.option(fc.double())).map((entries): Expression => {
      return {
        kind: 'literal',
        type: map(STRING, DOUBLE),
        value: new Map<SqlValue, SqlValue>(Object.entries(entries)),
      };
    }),
  );
  const source = planOf('SELECT * FROM VISITS EMIT CHANGES;');
  fc.assert(
    fc.property(literals, (operand) => {
      const plan = filter(source, { kind: 'is-null', type: BOOLEAN, operand, negated: true }, 'where');
      expect(throughText([plan])).toEqual([plain(plan)]);
    }),
  );
});

test('a chain of a ten thousand terms has no depth, and what is alike is written once', () => {
  const one: Expression = { kind: 'literal', type: BIGINT, value: 1 };
  let chain: Expression = one;
  for (let i = 0; i < 10_000; i++)
    chain = { kind: 'arithmetic', type: BIGINT, operator: '+', left: chain, right: one };
  const plan = filter(
    planOf('SELECT * FROM VISITS EMIT CHANGES;'),
    { kind: 'is-null', type: BOOLEAN, operand: chain, negated: true },
    'where',
  );
  const stored = storePlans([plan, plan], builtinFunctions);
  expect(stored.expressions.length).toBeLessThan(10_010);
  expect(stored.plans[0]).toBe(stored.plans[1]);
  const [loaded] = loadPlans(stored, builtinFunctions);
  expect(storePlans([loaded!, loaded!], builtinFunctions)).toEqual(stored);
});

test('a signature is found by its text, wherever it stands among the others', () => {
  const plan = planOf('SELECT SUBSTRING(PAGE, 1, 2) AS P FROM VISITS EMIT CHANGES;');
  const stored = storePlans([plan], builtinFunctions);
  const substring = builtinFunctions.get('SUBSTRING')!;
  const turned = { ...substring, signatures: [...substring.signatures].reverse() } as typeof substring;
  const functions = new Map([...builtinFunctions, ['SUBSTRING', turned] as const]);
  expect(storePlans(loadPlans(stored, functions), functions)).toEqual(stored);
  const none = new Map([...builtinFunctions].filter(([name]) => name !== 'SUBSTRING'));
  expect(() => loadPlans(stored, none)).toThrow(
    'a stored plan cannot be read: there is no function SUBSTRING',
  );
});

/** What a plan of another release, or of nobody, may be. */
const FOREIGN: readonly (readonly [what: string, change: (stored: Changed) => void, message: string])[] = [
  ['a later version', (stored) => (stored['version'] = 2), 'another release (version 2)'],
  ['no nodes', (stored) => delete stored['nodes'], 'a part of it is missing'],
  [
    'a kind of node',
    (stored) => (stored['nodes'][0]['kind'] = 'sort'),
    '"sort" is not known to this release',
  ],
  ['a field', (stored) => (stored['nodes'][0]['limit'] = 1), 'limit is not known here'],
  ['a field less', (stored) => delete stored['nodes'][0]['topic'], 'a text was expected, not nothing'],
  [
    'a kind of expression',
    (stored) => (stored['expressions'][0]['kind'] = 'window'),
    '"window" is not known',
  ],
  ['a number that nothing has', (stored) => (stored['plans'] = [99]), 'nothing has the number 99'],
];

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Changed = Record<string, any>;

test.each(FOREIGN)('%s is refused, and said', (_, change, message) => {
  const stored = JSON.parse(
    JSON.stringify(
      storePlans([planOf('SELECT * FROM VISITS WHERE WHO = 1 EMIT CHANGES;')], builtinFunctions),
    ),
  ) as Changed;
  change(stored);
  expect(() => loadPlans(stored, builtinFunctions)).toThrow(DataError);
  expect(() => loadPlans(stored, builtinFunctions)).toThrow(message);
});

function fingerprint(sql: string, others = new Map<string, string>()): string {
  return fingerprintOf(analyze(sql).plan!, builtinFunctions, others);
}

test('the layout of a text, aliases and the partitions of topics mean nothing; all else does', () => {
  const query =
    'CREATE TABLE T AS SELECT O.ITEM AS I, COUNT(*) AS N FROM ORDERS O WHERE AMOUNT > 1 GROUP BY O.ITEM;';
  const before = fingerprint(SOURCES + query);
  const same = (sql: string): boolean => fingerprint(sql) === before;
  expect(
    same(`${SOURCES}create table T as -- a note\n select P.ITEM I, count( * ) N
    from ORDERS P where P.AMOUNT > 1 group by ITEM emit changes;`),
  ).toBe(true);
  expect(same(SOURCES.replace("'orders'", "'orders', PARTITIONS=3") + query)).toBe(true);
  expect(same(SOURCES.replace('AMOUNT BIGINT', 'AMOUNT INT') + query)).toBe(false);
  expect(same(SOURCES.replace("'orders'", "'others'") + query)).toBe(false);
  expect(same(SOURCES.replace(", TIMESTAMP='SEEN'", '') + query)).toBe(false);
  for (const [from, to] of [
    ['> 1', '> 2'],
    ['COUNT(*)', 'SUM(AMOUNT)'],
    ['AS N', 'AS M'],
    ['CREATE TABLE T AS', "CREATE TABLE T WITH (VALUE_FORMAT='DELIMITED') AS"],
  ] as const)
    expect(same(SOURCES + query.replace(from, to))).toBe(false);
  expect(fingerprint(SOURCES + query, new Map([['COUNT', 'another body']]))).not.toBe(before);
});
