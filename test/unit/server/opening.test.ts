import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/common/clock.ts';
import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { startServer, type Server } from '../../../src/server/server.ts';
import { type HeldLog, openHeldLog } from '../../harness/held-log.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

/** A server answers while the state of its queries comes back from their changelogs. */

const CTAS = 'CTAS_T_0';
let directory: string;
let held: HeldLog;
let engine: Engine;
let server: Server | null;
/** Waits of the engine pass at once: the clock goes on by what is waited for. */
let hurries: boolean;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-opening-'));
  held = await openHeldLog();
  server = null;
  hurries = false;
  await start();
  await execute(
    engine,
    `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
     CREATE TABLE T AS SELECT K, SUM(V) AS N FROM S GROUP BY K;
     CREATE STREAM U AS SELECT * FROM S;
     INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('b', 2); INSERT INTO S VALUES ('c', 3);`,
  );
  await engine.drain();
  await engine.close();
});

afterEach(async () => {
  held.held = false;
  await server?.close();
  await engine.close();
  await held.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(options: Partial<EngineOptions> = {}): Promise<void> {
  let skewMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + skewMs,
    setTimer(delayMs, action) {
      if (hurries) skewMs += 60_000;
      return systemClock.setTimer(delayMs, action);
    },
  };
  engine = await openEngine(null, {
    log: held.log,
    clock,
    commandLog: true,
    startQueries: 'behind',
    ...options,
  });
}

const counts = async (): Promise<unknown[]> =>
  (await execute(engine, 'SELECT * FROM T;')).rows.toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1));

async function post(path: string, body: object): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${server!.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

test('a server listens, and says how far queries are, before they are open', async () => {
  held.held = true;
  await start();
  server = await startServer({ engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
  await until(() => held.restoring === 1 && engine.query('CSAS_U_1')?.state === 'RUNNING');
  const shown = JSON.parse((await post('/ksql', { ksql: 'SHOW QUERIES;' })).text) as [
    { queries: { id: string; state: string; restoring?: string }[] },
  ];
  expect(shown[0].queries.map(({ id, state, restoring }) => [id, state, restoring])).toEqual([
    [CTAS, 'REBALANCING', expect.stringMatching(/^0 % of 3 offsets, 0 of \d partitions done; 0 records/)],
    ['CSAS_U_1', 'RUNNING', undefined],
  ]);
  const health = (await (await fetch(`http://127.0.0.1:${server.port}/healthcheck`)).json()) as {
    isHealthy: boolean;
    details: { queries: unknown };
  };
  expect(health.isHealthy).toBe(true);
  expect(health.details.queries).toEqual({
    isHealthy: true,
    opening: [{ id: CTAS, restoring: expect.stringContaining('0 % of 3 offsets') as unknown }],
  });
  const described = await post('/ksql', { ksql: `EXPLAIN ${CTAS}; DESCRIBE T EXTENDED;` });
  expect(described.text.match(/0 % of 3 offsets/g)?.length).toBeGreaterThanOrEqual(3);
  hurries = true;
  const refused = await post('/query-stream', { sql: 'SELECT * FROM T;', properties: {} });
  hurries = false;
  expect(refused.status).toBe(400);
  expect(refused.text).toContain(
    `${CTAS}, which keeps these rows, does not run: its state is being restored, 0 % of 3 offsets`,
  );
  held.held = false;
  await until(() => engine.query(CTAS)?.state === 'RUNNING');
  expect(await counts()).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
  expect((await post('/ksql', { ksql: 'SHOW QUERIES;' })).text).not.toContain('restoring');
});

test('a push query that is opened meanwhile gets what comes of rows that are inserted meanwhile', async () => {
  held.held = true;
  await start();
  const session = newSession();
  session.properties.set('auto.offset.reset', 'latest');
  const pushed = execute(engine, 'SELECT * FROM T EMIT CHANGES LIMIT 1;', session);
  await until(() => [...engine.pushQueries.values()].some(({ streams }) => streams.state === 'running'));
  await execute(engine, "INSERT INTO S VALUES ('a', 10);");
  held.held = false;
  expect((await pushed).rows).toEqual([['a', 11]]);
});

test('what is read after an INSERT waits for queries that open', async () => {
  held.held = true;
  await start();
  await execute(engine, "INSERT INTO S VALUES ('b', 10);");
  const drained = engine.drain();
  await until(() => held.restoring === 1);
  held.held = false;
  await drained;
  expect(await counts()).toContainEqual(['b', 12]);
});

test('who opens an engine for a script waits for its queries, and is told how far they are', async () => {
  const told: string[] = [];
  held.held = true;
  hurries = false;
  const opening = start({
    startQueries: 'running',
    onOpening: (progress) => {
      told.push(progress);
      held.held = false;
    },
    clock: {
      ...systemClock,
      setTimer: (delayMs, action) => systemClock.setTimer(delayMs === 1000 ? 0 : delayMs, action),
    },
  });
  await opening;
  expect(engine.query(CTAS)?.state).toBe('RUNNING');
  expect(told).toEqual([expect.stringContaining(`${CTAS} `)]);
});

test.each([false, true])(
  'a server that is stopped while it restores has lost nothing (on disk: %s)',
  async (onDisk) => {
    const options = onDisk ? { stateDirectory: directory } : {};
    held.held = true;
    await start(options);
    await until(() => held.restoring === 1);
    await execute(engine, "INSERT INTO S VALUES ('c', 10);");
    // It is not let go: what is restored is left where it is.
    await engine.close();
    expect(held.restoring).toBe(0);
    held.held = false;
    await start(options);
    await engine.drain();
    expect(await counts()).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 13],
    ]);
  },
);

test('a query is terminated while it restores', async () => {
  held.held = true;
  await start();
  await until(() => held.restoring === 1);
  await execute(engine, `TERMINATE ${CTAS};`);
  expect(held.restoring).toBe(0);
  expect([...engine.queries.keys()]).toEqual(['CSAS_U_1']);
});
