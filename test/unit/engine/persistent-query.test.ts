import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { PersistentQuery } from '../../../src/engine/persistent-query.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

/** Readers fail while `broken`, as after a failure of the log that they do not survive. */
class BreakableLog {
  broken = false;
  opens = true;
  readonly log: Log;

  constructor(log: Log) {
    this.log = {
      admin: log.admin,
      openWriter: (options) =>
        this.opens || options?.group === undefined
          ? log.openWriter(options)
          : Promise.reject(new Error('the log cannot be opened')),
      close: () => log.close(),
      openReader: (options) => {
        const reader = log.openReader(options);
        return Object.assign(Object.create(reader) as typeof reader, {
          assign: reader.assign.bind(reader),
          unassign: reader.unassign.bind(reader),
          pause: reader.pause.bind(reader),
          resume: reader.resume.bind(reader),
          position: reader.position.bind(reader),
          endOffset: reader.endOffset.bind(reader),
          close: () => reader.close(),
          poll: (maxWaitMs: number) => {
            if (this.broken) throw new Error('the log has failed');
            return reader.poll(Math.min(maxWaitMs, 5));
          },
        });
      },
    };
  }
}

/** Waits of a second and more are noted, and end when the test says so, or are taken back. */
class SteppedClock implements Clock {
  #noted: { readonly delayMs: number; action: (() => void) | null }[] = [];

  get waits(): readonly number[] {
    return this.#noted.map(({ delayMs }) => delayMs);
  }

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  setTimer(delayMs: number, action: () => void): () => void {
    if (delayMs < 1000) return systemClock.setTimer(delayMs, action);
    const noted: { readonly delayMs: number; action: (() => void) | null } = { delayMs, action };
    this.#noted.push(noted);
    return () => {
      if (noted.action !== null) this.#noted = this.#noted.filter((each) => each !== noted);
    };
  }

  fire(): void {
    const last = this.#noted.at(-1);
    const action = last?.action;
    if (last !== undefined) last.action = null;
    action?.();
  }
}

let clock: SteppedClock;
let breakable: BreakableLog;
let engine: Engine;
let query: PersistentQuery;
beforeEach(async () => {
  clock = new SteppedClock();
  breakable = new BreakableLog(await openEmbeddedLog({ clock: systemClock, logger: silentLogger }));
  engine = await openEngine(null, { log: breakable.log, clock });
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE STREAM A AS SELECT * FROM S;`,
  );
  query = engine.queries.get('CSAS_A_0')!;
});
afterEach(() => engine.close());

async function fail(): Promise<void> {
  const { length } = clock.waits;
  breakable.broken = true;
  await until(() => clock.waits.length > length);
  expect(query.state).toBe('ERROR');
}

async function recover(): Promise<void> {
  breakable.broken = false;
  clock.fire();
  await until(() => query.state === 'RUNNING');
}

test('failures one after another wait longer and longer, at most five minutes', async () => {
  for (let i = 0; i < 11; i++) {
    await fail();
    await recover();
  }
  expect(clock.waits.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256].map((s) => s * 1000));
  expect(clock.waits.slice(9)).toEqual([300_000, 300_000]);
});

test('rare failures do not end at five minutes: who has got on is started again at once', async () => {
  for (let i = 0; i < 6; i++) {
    await fail();
    await recover();
  }
  await execute(engine, 'INSERT INTO S VALUES (1, 2);');
  await engine.drain();
  await fail();
  expect(clock.waits.at(-1)).toBe(1000);
  await recover();
  await fail();
  expect(clock.waits.at(-1)).toBe(2000);
});

test('the state is that of the application, also while it is paused or closed', async () => {
  await fail();
  await execute(engine, 'PAUSE CSAS_A_0;');
  expect(query.state).toBe('ERROR');
  breakable.broken = false;
  clock.fire();
  await until(() => query.state === 'PAUSED');
  await execute(engine, 'RESUME CSAS_A_0; INSERT INTO S VALUES (1, 2);');
  await engine.drain();
  expect((await execute(engine, 'SELECT V FROM A;')).rows).toEqual([[2]]);
  await fail();
  await execute(engine, 'TERMINATE CSAS_A_0;');
  clock.fire();
  expect(query.state).toBe('NOT_RUNNING');
});

test('a query that cannot be started is tried again, and nobody waits for it meanwhile', async () => {
  breakable.opens = false;
  await execute(engine, 'CREATE STREAM B AS SELECT * FROM S;');
  query = engine.queries.get('CSAS_B_1')!;
  expect(query.state).toBe('ERROR');
  expect(query.failure).toMatchObject({ message: 'the log cannot be opened' });
  await engine.drain();
  clock.fire();
  await until(() => clock.waits.length === 2);
  expect(clock.waits).toEqual([1000, 2000]);
  expect(query.errors).toHaveLength(2);
  breakable.opens = true;
  await recover();
  expect(query.failure).toBeNull();
  await execute(engine, 'INSERT INTO S VALUES (1, 2);');
  await engine.drain();
  expect((await execute(engine, 'SELECT V FROM B;')).rows).toEqual([[2]]);
});

test('a query that fails while it is waited for is not waited for any more', async () => {
  await execute(engine, 'PAUSE CSAS_A_0; INSERT INTO S VALUES (1, 2);');
  breakable.broken = true;
  await execute(engine, 'RESUME CSAS_A_0;');
  await engine.drain();
  expect(query.state).toBe('ERROR');
});

test('the rows of a query that does not run are no answer', async () => {
  await execute(
    engine,
    `TERMINATE CSAS_A_0; CREATE TABLE C AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
     INSERT INTO S VALUES (1, 2);`,
  );
  await engine.drain();
  query = engine.queries.get('CTAS_C_1')!;
  await fail();
  for (const where of ['', 'WHERE K = 1', 'WHERE K = 2'])
    await expect(execute(engine, `SELECT N FROM C ${where};`)).rejects.toMatchObject({
      code: 'ML_IN_USE',
      message: 'CTAS_C_1, which keeps these rows, does not run: it failed: the log has failed',
    });
  await recover();
  await execute(engine, 'INSERT INTO S VALUES (2, 2);');
  await engine.drain();
  expect((await execute(engine, 'SELECT N FROM C WHERE K = 2;')).rows).toEqual([[1]]);
});

test('a table that is started again after a failure goes on with its rows', async () => {
  await execute(
    engine,
    `TERMINATE CSAS_A_0; CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
     INSERT INTO S VALUES (1, 1); INSERT INTO S VALUES (1, 2); INSERT INTO S VALUES (2, 1);`,
  );
  await engine.drain();
  [query] = engine.queries.values() as unknown as [PersistentQuery];
  await fail();
  await recover();
  await execute(engine, 'INSERT INTO S VALUES (1, 3);');
  await engine.drain();
  expect((await execute(engine, 'SELECT N FROM T WHERE K = 1;')).rows).toEqual([[3]]);
  expect((await execute(engine, 'SELECT N FROM T WHERE K = 2;')).rows).toEqual([[1]]);
});
