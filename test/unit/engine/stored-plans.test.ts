import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import { defaultRules } from '../../../src/sql/optimizer/default-rules.ts';
import type { Rule } from '../../../src/sql/optimizer/rule.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/**
 * What runs for a query is what was stored when it was accepted: whatever happens to the optimizer between two starts on
 * one directory, nothing is lost and nothing is doubled.
 */

/** A rule that changes every plan, with the names of all that it keeps: as a later release may. */
const renameEverything: Rule = {
  name: 'rename-everything',
  order: 'bottom-up',
  apply(node) {
    const renamed = (name: string): string => `${name.replace(/-new$/, '')}-new`;
    switch (node.kind) {
      case 'aggregate':
        return node.store.endsWith('-new') ? node : { ...node, store: renamed(node.store) };
      case 'repartition':
      case 'join':
        return node.name.endsWith('-new') ? node : { ...node, name: renamed(node.name) };
      case 'source':
        return node.alias.endsWith('-new') ? node : { ...node, alias: renamed(node.alias) };
      default:
        return node;
    }
  },
};

const OPTIMIZER_OFF: Partial<EngineOptions> = { properties: new Map([['ksql.optimizer.enabled', 'false']]) };
const MORE_RULES: Partial<EngineOptions> = { rules: [...defaultRules, renameEverything] };

const QUERIES = `
  CREATE STREAM CLICKS (ID INT KEY, PAGE STRING, MS BIGINT) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=2);
  CREATE STREAM VIEWS (ID INT KEY, PAGE STRING) WITH (KAFKA_TOPIC='views', VALUE_FORMAT='JSON', PARTITIONS=2);
  CREATE TABLE PAGES (NAME STRING PRIMARY KEY, OWNER STRING) WITH (KAFKA_TOPIC='pages', VALUE_FORMAT='JSON', PARTITIONS=2);
  CREATE TABLE COUNTS AS SELECT ID, COUNT(*) AS N, SUM(MS) AS S FROM CLICKS GROUP BY ID;
  CREATE TABLE BY_PAGE AS SELECT PAGE, COUNT(*) AS N FROM CLICKS WHERE MS + 1 > 0 + 1 GROUP BY PAGE;
  CREATE TABLE SESSIONS AS SELECT PAGE, COUNT(*) AS N FROM CLICKS WINDOW SESSION (10 SECONDS) GROUP BY PAGE;
  CREATE TABLE MINUTES AS SELECT PAGE, COUNT(*) AS N FROM CLICKS WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY PAGE;
  CREATE STREAM OWNED AS SELECT ID, CLICKS.PAGE AS PAGE, OWNER FROM CLICKS JOIN PAGES ON CLICKS.PAGE = PAGES.NAME;
  CREATE STREAM PAIRS AS SELECT CLICKS.ID AS ID, CLICKS.MS AS MS, VIEWS.PAGE AS PAGE
    FROM CLICKS LEFT JOIN VIEWS WITHIN 1 HOUR GRACE PERIOD 1 HOUR ON CLICKS.ID = VIEWS.ID WHERE CLICKS.MS > 0;
  CREATE STREAM REKEYED AS SELECT * FROM CLICKS PARTITION BY PAGE;
  CREATE TABLE OWNERS AS SELECT OWNER, COUNT(*) AS N FROM PAGES GROUP BY OWNER;`;

const round = (from: number): string =>
  [
    `INSERT INTO PAGES (ROWTIME, NAME, OWNER) VALUES (${from * 1000}, 'p${from}', 'ann');`,
    `INSERT INTO PAGES (ROWTIME, NAME, OWNER) VALUES (${from * 1000}, 'p0', 'bob${from}');`,
    ...[0, 1, 2, 3].map(
      (i) =>
        `INSERT INTO VIEWS (ROWTIME, ID, PAGE) VALUES (${(from + i) * 1000}, ${i % 2}, 'v${from + i}');
         INSERT INTO CLICKS (ROWTIME, ID, PAGE, MS) VALUES (${(from + i) * 1000}, ${i % 3}, 'p${i % 2}', ${from + i + 1});`,
    ),
  ].join('\n');

const READ = [
  'SELECT * FROM COUNTS;',
  'SELECT * FROM BY_PAGE;',
  'SELECT * FROM SESSIONS;',
  'SELECT * FROM MINUTES;',
  'SELECT * FROM OWNERS;',
  'SELECT ID, PAGE, OWNER FROM OWNED;',
  'SELECT ID, MS, PAGE FROM PAIRS;',
  'SELECT PAGE, ID, MS FROM REKEYED;',
];

let directory: string;
let engine: Engine;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-stored-'));
});
afterEach(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

/** Everything that the queries have made, in any order: partitions are read side by side. */
async function results(): Promise<readonly (readonly string[])[]> {
  await engine.drain();
  const found: string[][] = [];
  for (const sql of READ) {
    const { rows } = await execute(engine, sql);
    found.push(rows.map((row) => JSON.stringify(row)).sort());
  }
  return found;
}

async function start(options: Partial<EngineOptions> = {}): Promise<void> {
  engine = await openEngine(directory, { stateDirectory: join(directory, 'state'), ...options });
}

// It takes seconds: eleven queries whose state is on disk, opened four times.
test('the optimizer off, and a rule more, at later starts', async () => {
  await start();
  await execute(engine, QUERIES);
  for (const from of [0, 5, 20, 40]) await execute(engine, round(from));
  const whole = await results();
  const ids = [...engine.queries.keys()];
  await engine.close();
  rmSync(directory, { recursive: true });

  for (const [from, options] of [
    [0, {}],
    [5, OPTIMIZER_OFF],
    [20, MORE_RULES],
    [40, {}],
  ] as const) {
    if (from > 0) await engine.close();
    await start(options);
    if (from === 0) await execute(engine, QUERIES);
    expect([...engine.queries.values()].map(({ id, state }) => [id, state])).toEqual(
      ids.map((id) => [id, 'RUNNING']),
    );
    await execute(engine, round(from));
    await engine.drain();
  }
  expect(await results()).toEqual(whole);
  // All that was counted was counted once.
  expect(whole[0]!.map((row) => (JSON.parse(row) as number[])[1]).reduce((a, b) => a! + b!)).toBe(16);
});

test('a query that a release would run on other stores is not run, and says so', async () => {
  await start();
  await execute(engine, QUERIES);
  const { stored } = engine.queries.get('CTAS_COUNTS_0')!;
  expect(stored.stores).toEqual(['Aggregate-Aggregate-Materialize']);
  const command = JSON.stringify({
    version: 3,
    statement: 'CREATE TABLE MOVED AS SELECT ID, COUNT(*) AS N, SUM(MS) AS S FROM CLICKS GROUP BY ID;',
    properties: {},
    sequence: 50,
    query: { ...stored, stores: ['Elsewhere'] },
  });
  const writer = await engine.log.openWriter();
  appendRecord(writer, { topic: '_millrace_test_command_topic', partition: 0 }, { value: command });
  await writer.flush();
  await writer.close();
  await engine.close();
  await start();
  expect(engine.failedStatements.map(({ id, errors }) => [id, errors[0]!.message])).toEqual([
    [
      'CTAS_MOVED_50',
      "ML_UNSUPPORTED: this release would keep the query's state elsewhere: its stores were Elsewhere, and would be Aggregate-Aggregate-Materialize",
    ],
  ]);
});
