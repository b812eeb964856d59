import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { newSession, type Session } from '../../../src/engine/session.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import { type Log, LogError } from '../../../src/log/log.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** A log whose writers wait while it is `away`. */
class AwayLog {
  readonly log: Log;
  /** Records are written, and their writers are told that they may not be. */
  losesAnswers = false;
  #away = false;
  #back: () => void = () => undefined;
  #until: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.log = {
      admin: log.admin,
      openReader: (options) => log.openReader(options),
      close: () => log.close(),
      openWriter: async (options) => {
        const writer = await log.openWriter(options);
        return {
          appender: (partition) => writer.appender(partition),
          atomicCommit: writer.atomicCommit,
          flushStaysHidden: writer.flushStaysHidden,
          lingerMs: writer.lingerMs,
          readable: () => writer.readable(),
          get pendingBytes() {
            return writer.pendingBytes;
          },
          get unsentBytes() {
            return writer.unsentBytes;
          },
          isPending: (partition) => writer.isPending(partition),
          flush: async () => {
            if (this.#away) await this.#until;
            await writer.flush();
            if (!this.losesAnswers) return;
            throw new LogError('unavailable', 'writing was given up');
          },
          commit: (offsets) => writer.commit(offsets),
          endOffset: (partition) => writer.endOffset(partition),
          close: () => writer.close(),
        };
      },
    };
  }

  leave(): void {
    this.#away = true;
    this.#until = new Promise((resolve) => {
      this.#back = resolve;
    });
  }

  comeBack(): void {
    this.#away = false;
    this.#back();
  }
}

let away: AwayLog;
let engine: Engine;
beforeEach(async () => {
  away = new AwayLog(await openEmbeddedLog({ clock: systemClock, logger: silentLogger }));
  engine = await openEngine(null, { log: away.log, commandLog: true, logPatienceMs: 150 });
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE STREAM R (K INT KEY, V INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=1);`,
  );
});
afterEach(async () => {
  away.comeBack();
  await engine.close();
});

const run = (sql: string, session: Session = newSession()) => execute(engine, sql, session);

const refused = (code: string, message: string) => ({
  code,
  message: expect.stringContaining(message) as string,
  hint: expect.anything() as string,
});

test('an INSERT does not wait without end, and says that the row may be there; nobody waits behind it', async () => {
  away.leave();
  const first = run('INSERT INTO S VALUES (1, 1);');
  const second = run('INSERT INTO R VALUES (1, 1);');
  const answers = Promise.allSettled([first, second]);
  // While both wait.
  await run(
    "SHOW STREAMS; DESCRIBE S; SET 'commit.interval.ms'='10'; EXPLAIN SELECT * FROM S; SHOW QUERIES;",
  );
  await run('RESUME ALL;').catch((error: unknown) => expect(error).toMatchObject({ code: 'ML_LOG' }));
  for (const answer of await answers)
    expect(answer).toMatchObject({
      status: 'rejected',
      reason: refused('ML_LOG', 'has not acknowledged the row in time') as object,
    });
  away.comeBack();
  await run('INSERT INTO S VALUES (2, 2);');
  expect((await run('SELECT V FROM S;')).rows).toEqual([[1], [2]]);
});

test('a statement that was not begun is sent away, one whose command waits says that it may take effect', async () => {
  away.leave();
  const answers = await Promise.allSettled([
    run('CREATE STREAM A AS SELECT * FROM S;'),
    run('CREATE STREAM B AS SELECT * FROM S;'),
  ]);
  expect(answers).toMatchObject([
    { reason: refused('ML_LOG', 'has not acknowledged the statement') },
    { reason: refused('ML_LOG', 'was not begun') },
  ]);
  await run('SHOW STREAMS; SHOW QUERIES;');
  away.comeBack();
  await run('CREATE TYPE T AS INT;');
  expect(engine.catalog.has('A')).toBe(true);
  expect(engine.catalog.has('B')).toBe(false);
  expect(engine.queries.size).toBe(1);
});

test('a session sees what it has changed, though it waits for no answer', async () => {
  const session = newSession();
  const answers = [
    run('INSERT INTO S VALUES (1, 1);', session),
    run('INSERT INTO S VALUES (2, 2);', session),
    run('SELECT V FROM S;', session),
    run('CREATE STREAM A AS SELECT * FROM S;', session),
    run('DESCRIBE A;', session),
    run('INSERT INTO A VALUES (3, 3);', session),
  ];
  const [, , rows, , described] = await Promise.all(answers);
  expect(rows!.rows).toEqual([[1], [2]]);
  expect(described!.entity).toMatchObject({ '@type': 'sourceDescription' });
});

test('an INSERT into a topic that is gone is nothing to those into others', async () => {
  await engine.log.admin.deleteTopic('r');
  const answers = await Promise.allSettled([
    run('INSERT INTO R VALUES (1, 1);'),
    run('INSERT INTO S VALUES (1, 1);'),
    run('INSERT INTO R VALUES (1, 1);'),
    run('INSERT INTO S VALUES (2, 2);'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
});

test('a command that was given up and is in the log takes effect before the next one', async () => {
  await run('CREATE STREAM OLD AS SELECT * FROM S;');
  const old = engine.queries.get('CSAS_OLD_0')!;
  for (const sql of ['CREATE STREAM A AS SELECT * FROM S;', 'DROP STREAM OLD;', 'PAUSE ALL;']) {
    away.losesAnswers = true;
    await expect(run(sql)).rejects.toMatchObject({ kind: 'unavailable' });
    away.losesAnswers = false;
    // Judged by the catalog that the log says.
    await expect(run('CREATE STREAM A AS SELECT * FROM S;')).rejects.toMatchObject({ code: 'ML_NAME_TAKEN' });
  }
  expect([...engine.queries.values()].map(({ id, state }) => [id, state])).toEqual([['CSAS_A_1', 'PAUSED']]);
  expect(old.state).toBe('NOT_RUNNING');
  expect(engine.failedStatements).toEqual([]);
  await run('CREATE STREAM B AS SELECT * FROM A;');
  expect([...engine.queries.keys()]).toEqual(['CSAS_A_1', 'CSAS_B_2']);
});

test('a statement that is too long to be kept is refused with its place, and nothing waits for it', async () => {
  await expect(
    run(`CREATE STREAM N AS SELECT K, '${'x'.repeat(800_000)}' AS V FROM S;`),
  ).rejects.toMatchObject({
    code: 'ML_LIMIT',
    message: expect.stringContaining('this statement is too long to be kept') as string,
  });
  await run('CREATE STREAM N AS SELECT * FROM S;');
});
