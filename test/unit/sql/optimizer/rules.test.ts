import { expect, test } from 'vitest';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { defaultRules } from '../../../../src/sql/optimizer/default-rules.ts';
import { optimize } from '../../../../src/sql/optimizer/optimizer.ts';
import type { RuleContext } from '../../../../src/sql/optimizer/rule.ts';
import type { Expression } from '../../../../src/sql/expressions/expression.ts';
import { explainPlan } from '../../../../src/sql/plan/explain.ts';
import type { PlanNode } from '../../../../src/sql/plan/node.ts';
import { BIGINT, BOOLEAN, DOUBLE, STRING } from '../../../../src/types/sql-type.ts';
import * as p from './plan-builders.ts';

const context: RuleContext = { functions: builtinFunctions, evaluation: { now: () => 0, random: () => 0.5 } };
const optimized = (plan: PlanNode): string => explainPlan(optimize(plan, context).plan);
const fired = (plan: PlanNode): string[] => optimize(plan, context).steps.map((step) => step.rule);

const { column, literal } = p;
const aAbove1 = p.above(column(1), literal(1));
const bAbove2 = p.above(column(2), literal(2));
const isNullOf = (operand: Expression): Expression => ({
  kind: 'is-null',
  type: BOOLEAN,
  operand,
  negated: false,
});
const divided = p.divide(column(1), column(2));
const random = p.call('RANDOM', [], DOUBLE);
const upper = p.call('UCASE', [column(3, STRING)], STRING);
const everything = { ID: column(0, STRING), A: column(1), B: column(2), C: column(3, STRING) };
const groupByC = p.repartition(p.source(), [3]);
const TABLES = { shape: 'table-table', changes: 'table', join: 'left' } as const;
const within = { beforeMs: 10, afterMs: 10, graceMs: null };
const STREAMS = { shape: 'stream-stream', join: 'inner', within } as const;

interface Case {
  readonly says: string;
  readonly plan: PlanNode;
}

/** For each rule, plans that it must change, as part of the default rules, and near misses that it must not. */
const CASES: Readonly<Record<string, { readonly fires: readonly Case[]; readonly not: readonly Case[] }>> = {
  'fold-constants': {
    fires: [
      {
        says: 'arithmetic of literals',
        plan: p.output(
          p.project(p.source(), { X: p.plus(literal(1), literal(2)), ID: column(0, STRING) }),
          [0],
        ),
      },
      {
        says: 'TRUE in a conjunction',
        plan: p.output(p.filter(p.source(), p.and(literal(true, BOOLEAN), aAbove1)), [1]),
      },
    ],
    not: [
      {
        says: 'a failure stays with its row',
        plan: p.output(
          p.project(p.source(), { X: p.divide(literal(1), literal(0)), ID: column(0, STRING) }),
          [0],
        ),
      },
      {
        says: 'a volatile function',
        plan: p.output(p.project(p.source(), { X: random, ID: column(0, STRING) }), [0]),
      },
    ],
  },
  'merge-filters': {
    fires: [
      {
        says: 'two filters of one clause',
        plan: p.output(p.filter(p.filter(p.source(), aAbove1), bAbove2), [1]),
      },
    ],
    not: [
      {
        says: 'two clauses',
        plan: p.output(p.filter(p.filter(p.source(), aAbove1), bAbove2, 'having'), [1]),
      },
    ],
  },
  'drop-true-filter': {
    fires: [
      {
        says: 'over a join',
        plan: p.output(p.filter(p.join(p.source(), p.table()), literal(true, BOOLEAN)), [1]),
      },
    ],
    not: [
      {
        says: 'over a stream that may hold null rows',
        plan: p.output(p.filter(p.source(), literal(true, BOOLEAN)), [1]),
      },
    ],
  },
  'push-filter-below-project': {
    fires: [
      {
        says: 'a column, beside one that cannot fail',
        plan: p.output(
          p.filter(
            p.project(p.source(), { ID: column(0, STRING), X: column(1), N: isNullOf(column(2)) }),
            aAbove1,
          ),
          [0],
        ),
      },
    ],
    not: [
      {
        says: 'an item that may fail, and is told for every row',
        plan: p.output(
          p.filter(p.project(p.source(), { ID: column(0, STRING), A: column(1), X: divided }), aAbove1),
          [0, 2],
        ),
      },
      {
        says: 'a volatile item',
        plan: p.output(
          p.filter(
            p.project(p.source(), { ID: column(0, STRING), X: random }),
            p.above(column(1, DOUBLE), literal(0.5, DOUBLE)),
          ),
          [1],
        ),
      },
      {
        says: 'a costly item',
        plan: p.output(
          p.filter(
            p.project(p.source(), { ID: column(0, STRING), X: upper }),
            p.above(column(1, STRING), literal('B', STRING)),
          ),
          [1],
        ),
      },
    ],
  },
  'narrow-outer-join': {
    fires: [
      {
        says: 'a left join whose right side must be there',
        plan: p.output(p.filter(p.join(p.source(), p.table()), p.above(column(8), literal(1))), [1]),
      },
      {
        says: 'a full join of tables whose left side must be there',
        plan: p.output(p.filter(p.join(p.table(), p.table(), { ...TABLES, join: 'outer' }), aAbove1), [1]),
      },
    ],
    not: [
      {
        says: 'a condition that holds for a missing side',
        plan: p.output(
          p.filter(p.join(p.source(), p.table()), {
            kind: 'is-null',
            type: BOOLEAN,
            operand: column(8),
            negated: false,
          }),
          [1],
        ),
      },
      {
        says: 'the side that is always there',
        plan: p.output(p.filter(p.join(p.source(), p.table()), aAbove1), [1]),
      },
      {
        says: 'one side of a full join of streams',
        plan: p.output(p.filter(p.join(p.source(), p.source(), { ...STREAMS, join: 'outer' }), aAbove1), [1]),
      },
    ],
  },
  'push-filter-into-join-side': {
    fires: [
      {
        says: 'the stream side of a left join',
        plan: p.output(p.filter(p.join(p.source(), p.table()), aAbove1), [1]),
      },
    ],
    not: [
      {
        says: 'the table side',
        plan: p.output(p.filter(p.join(p.source(), p.table()), p.above(column(8), literal(1))), [1]),
      },
      {
        says: 'a join of tables',
        plan: p.output(p.filter(p.join(p.table(), p.table(), { ...TABLES, join: 'inner' }), aAbove1), [1]),
      },
      {
        says: 'a join of streams',
        plan: p.output(p.filter(p.join(p.source(), p.source(), STREAMS), aAbove1), [1]),
      },
    ],
  },
  'push-filter-below-repartition': {
    fires: [{ says: 'a pure filter', plan: p.output(p.filter(groupByC, aAbove1), [1]) }],
    not: [
      {
        says: 'a volatile filter',
        plan: p.output(p.filter(groupByC, p.above(random, literal(0.5, DOUBLE))), [1]),
      },
    ],
  },
  'merge-projects': {
    fires: [
      {
        says: 'an item that is read once',
        plan: p.output(
          p.project(p.project(p.source(), { ID: column(0, STRING), X: upper }), {
            ID: column(0, STRING),
            X: column(1, STRING),
            A: column(0, STRING),
          }),
          [1, 2],
        ),
      },
    ],
    not: [
      {
        says: 'an item that may fail and gets another name',
        plan: p.output(
          p.project(p.project(p.source(), { ID: column(0, STRING), X: upper }), {
            ID: column(0, STRING),
            Y: column(1, STRING),
          }),
          [1],
        ),
      },
      {
        says: 'an item that is read twice',
        plan: p.output(
          p.project(p.project(p.source(), { ID: column(0, STRING), X: divided }), {
            ID: column(0, STRING),
            Y: p.plus(column(1), column(1)),
          }),
          [1],
        ),
      },
      {
        says: 'a volatile item',
        plan: p.output(
          p.project(p.project(p.source(), { ID: column(0, STRING), X: random }), {
            ID: column(0, STRING),
            Y: column(1, DOUBLE),
          }),
          [1],
        ),
      },
    ],
  },
  'drop-identity-project': {
    fires: [
      {
        says: 'all columns as they are',
        plan: p.output(
          p.project(
            p.filter(
              p.project(p.source(), { ID: column(0, STRING), X: random }),
              p.above(column(1, DOUBLE), literal(0.1, DOUBLE)),
            ),
            { ID: column(0, STRING), X: column(1, DOUBLE) },
          ),
          [1],
        ),
      },
    ],
    not: [
      {
        says: 'another name',
        plan: p.output(
          p.project(
            p.filter(
              p.project(p.source(), { ID: column(0, STRING), X: random }),
              p.above(column(1, DOUBLE), literal(0.1, DOUBLE)),
            ),
            { ID: column(0, STRING), Y: column(1, DOUBLE) },
          ),
          [1],
        ),
      },
    ],
  },
  'drop-needless-repartition': {
    fires: [
      {
        says: 'the stream is keyed so already',
        plan: p.output(p.aggregate(p.repartition(p.source(), [0]), [['N', 'COUNT', [], BIGINT]]), [1]),
      },
    ],
    not: [
      { says: 'another key', plan: p.output(p.aggregate(groupByC, [['N', 'COUNT', [], BIGINT]]), [1]) },
      {
        says: 'another key format',
        plan: p.output(
          p.aggregate(p.repartition(p.source(), [0], { keyFormat: p.JSON_FORMAT }), [
            ['N', 'COUNT', [], BIGINT],
          ]),
          [1],
        ),
      },
      {
        says: 'a table',
        plan: p.output(p.aggregate(p.repartition(p.table(), [0]), [['N', 'COUNT', [], BIGINT]]), [1]),
      },
      {
        says: 'a windowed key',
        plan: p.output(
          p.repartition(
            p.source({ window: { kind: 'tumbling', sizeMs: 1000, startColumn: 5, endColumn: 6 } }),
            [0],
          ),
          [1],
        ),
      },
    ],
  },
  'repartition-in-place': {
    fires: [
      { says: 'nothing above but the output', plan: p.output(p.repartition(p.source(), [1]), [1]) },
      {
        says: 'a filter and a projection above',
        plan: p.output(p.project(p.filter(p.repartition(p.source(), [1]), aAbove1), everything), [1]),
      },
    ],
    not: [
      {
        says: 'an aggregation above',
        plan: p.output(p.aggregate(groupByC, [['N', 'COUNT', [], BIGINT]]), [1]),
      },
      { says: 'a table', plan: p.output(p.repartition(p.table(), [1]), [1]) },
      {
        says: 'it is done already',
        plan: p.output(p.repartition(p.source(), [1], { throughTopic: false }), [1]),
      },
    ],
  },
  'drop-needless-materialization': {
    fires: [
      { says: 'changes on the way to an output', plan: p.output(p.project(p.table(), everything), [1]) },
    ],
    not: [
      { says: 'a filter that must know what was shown', plan: p.output(p.filter(p.table(), aAbove1), [1]) },
      { says: 'a table that is joined with', plan: p.output(p.join(p.source(), p.table()), [1]) },
      {
        says: 'a table that is aggregated',
        plan: p.output(p.aggregate(p.repartition(p.table(), [3]), [['N', 'COUNT', [], BIGINT]]), [1]),
      },
      { says: 'a table that is made into a table', plan: p.sink(p.table(), [1]) },
    ],
  },
  'prune-columns': {
    fires: [
      {
        says: 'a project below a repartition',
        plan: p.output(p.aggregate(groupByC, [['S', 'SUM', [column(1)], BIGINT]]), [1]),
      },
      {
        says: 'an item that nobody reads',
        plan: p.output(
          p.filter(
            p.project(p.source(), { ID: column(0, STRING), X: random, Y: upper }),
            p.above(column(1, DOUBLE), literal(0.1, DOUBLE)),
          ),
          [1],
        ),
      },
    ],
    not: [
      {
        says: 'all is read',
        plan: p.output(p.project(p.source(), { ID: column(0, STRING), A: column(1) }), [0, 1]),
      },
    ],
  },
  'prune-source-columns': {
    fires: [{ says: 'columns that nobody selects', plan: p.output(p.source(), [1]) }],
    not: [{ says: 'no sink or output says who reads', plan: p.filter(p.table(), aAbove1) }],
  },
  'pass-raw-columns': {
    fires: [
      {
        says: 'to a sink of the same format',
        plan: p.sink(p.filter(p.project(p.source(), everything), aAbove1), [2, 3]),
      },
    ],
    not: [
      {
        says: 'another format',
        plan: p.sink(p.source(), [2, 3], {
          valueFormat: { name: 'DELIMITED', wrapped: true, properties: [] },
        }),
      },
      { says: 'all of it is read by the filter', plan: p.sink(p.filter(p.source(), aAbove1), [1]) },
      {
        says: 'a computed value',
        plan: p.sink(p.project(p.source(), { ID: column(0, STRING), X: p.plus(column(1), column(2)) }), [1]),
      },
      { says: 'a repartition between', plan: p.sink(p.repartition(p.source(), [3]), [1]) },
      { says: 'a table', plan: p.sink(p.table(), [1, 2]) },
    ],
  },
};

for (const [rule, { fires, not }] of Object.entries(CASES)) {
  for (const { says, plan } of fires)
    test(`${rule} must fire: ${says}`, () => {
      expect(fired(plan)).toContain(rule);
    });
  for (const { says, plan } of not)
    test(`${rule} must not fire: ${says}`, () => {
      expect(fired(plan)).not.toContain(rule);
    });
}

test('every default rule has plans that it must and must not change', () => {
  expect(Object.keys(CASES).sort()).toEqual(defaultRules.map((rule) => rule.name).sort());
});

test.each(defaultRules.map((rule) => rule.name))('without %s its plans come out otherwise', (name) => {
  const others = defaultRules.filter((rule) => rule.name !== name);
  for (const { says, plan } of CASES[name]!.fires)
    expect(`${says}\n${explainPlan(optimize(plan, context, others).plan)}`).not.toBe(
      `${says}\n${optimized(plan)}`,
    );
});

test('a filter ends at the source, on the stream side, before the topic', () => {
  const joined = p.join(p.repartition(p.source(), [3], { name: 'Join-left' }), p.table());
  const plan = p.sink(
    p.project(p.filter(joined, p.and(p.above(column(8), literal(5)), aAbove1)), {
      C: column(3, STRING),
      X: column(9),
    }),
    [1],
  );
  expect(optimized(plan)).toMatchInlineSnapshot(`
    "sink OUT topic out key [C] KAFKA unwrapped value [X] JSON
      project [L_C AS C, R_B AS X]
        filter where R_A > 5
          join Join inner stream-table
            repartition Join-left key [C] KAFKA unwrapped null keys drop
              project [ID, C]
                filter where (C IS NULL) OR (A > 1)
                  source S stream topic s reads [A, B, C] skips 4
            source T table topic t reads [A, B, C] skips 4 materialized
    "
  `);
});

test('a filter below a repartition that reports rows without a key lets it see them', () => {
  const plan = p.output(p.filter(p.join(p.repartition(p.source(), [3]), p.table()), bAbove2), [1]);
  expect(optimized(plan)).toContain('filter where (C IS NULL) OR (B > 2)\n');
});

test('a conjunct stays behind one that may fail', () => {
  const fails = p.above(divided, literal(1));
  const ofTable = p.above(p.divide(column(8), column(8)), literal(1));
  const join = p.join(p.source(), p.table(), { join: 'inner' });
  expect(optimized(p.output(p.filter(join, p.and(aAbove1, fails)), [1]))).toContain(
    'filter where (L_A / L_B) > 1\n    join',
  );
  expect(optimized(p.output(p.filter(join, p.and(ofTable, aAbove1)), [1]))).not.toMatch(/join.*\n +filter/);
});

test('a padded row that makes an earlier condition fail is still made', () => {
  const left = p.join(p.source(), p.table(), { join: 'left' });
  const padded = p.above(p.divide(column(8), column(8)), literal(1));
  const rejects = p.above(column(8), literal(1));
  expect(optimized(p.output(p.filter(left, p.and(padded, rejects)), [1]))).toContain('left stream-table');
  expect(optimized(p.output(p.filter(left, p.and(rejects, padded)), [1]))).toContain('inner stream-table');
});
