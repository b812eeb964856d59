import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { SqlError } from '../../../src/common/error.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { CommandLog } from '../../../src/engine/command-log.ts';
import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log, LogWriter } from '../../../src/log/log.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { SeededRandom } from '../../harness/random.ts';

/** Statements that change the catalog, in any order: some are refused. */
class Statements {
  readonly #random: SeededRandom;
  #columns = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(engine: Engine): string {
    const random = this.#random;
    const source = random.pick(['S1', 'S2', 'S3']);
    const derived = random.pick(['A', 'B', 'C']);
    const read = random.pick(['S1', 'S2', 'S3', 'A', 'B', 'C']);
    const type = random.pick(['T1', 'T2']);
    const query = random.pick([...engine.queries.keys(), 'NONE']);
    const replace = random.chance(0.5) ? 'OR REPLACE ' : '';
    const statements: readonly (() => string)[] = [
      () =>
        `CREATE ${replace}STREAM ${source} (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');`,
      () =>
        `CREATE ${replace}STREAM ${source} (K INT KEY, V INT, W ${type}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');`,
      () => `CREATE ${replace}STREAM ${derived} AS SELECT * FROM ${read};`,
      () => `CREATE ${replace}STREAM ${derived} AS SELECT *, V + ${random.integer(1, 3)} AS X FROM ${read};`,
      () =>
        `CREATE ${replace}STREAM ${derived} AS SELECT K, V FROM ${read} WHERE V > ${random.integer(1, 9)};`,
      () => `CREATE ${replace}TABLE ${derived} AS SELECT K, COUNT(*) AS N FROM ${read} GROUP BY K;`,
      () =>
        `CREATE SOURCE TABLE ${derived} (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');`,
      () => `INSERT INTO ${derived} SELECT * FROM ${read};`,
      () => `INSERT INTO ${derived} WITH (QUERY_ID='OWN') SELECT * FROM ${read};`,
      () => `ALTER STREAM ${source} ADD COLUMN C${this.#columns++} INT;`,
      () => `CREATE TYPE ${type} AS STRUCT<X INT, Y ${random.pick(['INT', 'STRING', 'T1', 'T2'])}>;`,
      () => `DROP TYPE ${random.chance(0.5) ? 'IF EXISTS ' : ''}${type};`,
      () => `DROP ${random.pick(['STREAM', 'TABLE'])} ${random.chance(0.3) ? 'IF EXISTS ' : ''}${read};`,
      () => `DROP STREAM ${read};`,
      () => 'DROP STREAM KSQL_PROCESSING_LOG;',
      () =>
        `CREATE ${replace}STREAM KSQL_PROCESSING_LOG (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');`,
      () => `TERMINATE ${query};`,
      () => `TERMINATE ${query};`,
      () => `PAUSE ${query};`,
      () => `RESUME ${query};`,
      () => random.pick(['TERMINATE ALL;', 'PAUSE ALL;', 'RESUME ALL;']),
      () =>
        `ALTER SYSTEM '${random.pick(['commit.interval.ms', 'max.task.idle.ms'])}' = '${random.integer(1, 500)}';`,
    ];
    return random.pick(statements)();
  }
}

/** All that a restart must bring back. */
function stateOf(engine: Engine): unknown {
  return {
    sources: Object.fromEntries(engine.catalog.sources().map((source) => [source.name, source])),
    types: Object.fromEntries(engine.catalog.types()),
    queries: Object.fromEntries(
      [...engine.queries.values()].map(({ id, statementText, isPaused, sources, sink, properties }) => [
        id,
        { statementText, isPaused, sources, sink, properties: Object.fromEntries(properties) },
      ]),
    ),
    system: Object.fromEntries(engine.systemProperties),
    sequence: engine.sequence,
    failed: engine.failedStatements.map(({ text }) => text),
  };
}

class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * A log that outlives its engines. Told to `crash`, it dies with the n-th change that it is asked for from then on,
 * before or after that took effect, and does nothing more until it is opened again.
 */
class CrashingTopics implements Log {
  readonly #log: Log;
  #left = Infinity;
  #tookEffect = false;
  dead = false;

  constructor(log: Log) {
    this.#log = log;
  }

  crash(changes: number, tookEffect: boolean): void {
    this.#left = changes;
    this.#tookEffect = tookEffect;
  }

  reopen(): void {
    this.#left = Infinity;
    this.dead = false;
  }

  async #change<T>(action: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Crash();
    if (--this.#left > 0) return action();
    this.dead = true;
    if (this.#tookEffect) await action();
    throw new Crash();
  }

  get admin(): Log['admin'] {
    const { admin } = this.#log;
    return {
      createTopic: (topic) => admin.createTopic(topic),
      deleteTopic: (name) => admin.deleteTopic(name),
      listTopics: () => admin.listTopics(),
      describeTopic: (name) => admin.describeTopic(name),
      topicConfigs: (name) => admin.topicConfigs(name),
      offsets: (topic) => admin.offsets(topic),
      offsetsForTime: (topic, timestampMs) => admin.offsetsForTime(topic, timestampMs),
      deleteRecords: (position) => this.#change(() => admin.deleteRecords(position)),
      committed: (group) => admin.committed(group),
      alterCommitted: (group, offsets) => admin.alterCommitted(group, offsets),
    };
  }

  openReader(options?: Parameters<Log['openReader']>[0]): ReturnType<Log['openReader']> {
    return this.#log.openReader(options);
  }

  async openWriter(options?: Parameters<Log['openWriter']>[0]): Promise<LogWriter> {
    const writer = await this.#log.openWriter(options);
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
      flush: () => (writer.pendingBytes === 0 ? writer.flush() : this.#change(() => writer.flush())),
      commit: (offsets) => writer.commit(offsets),
      isPending: (partition) => writer.isPending(partition),
      endOffset: (partition) => writer.endOffset(partition),
      close: () => (this.dead ? Promise.resolve() : writer.close()),
    };
  }

  /** Stays open: it outlives the engine. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function openLog(): Promise<CrashingTopics> {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await log.admin.createTopic({ name: 's', partitions: 1 });
  return new CrashingTopics(log);
}

function open(log: Log, deadCommandsMax: number): Promise<Engine> {
  const options: Partial<EngineOptions> = { log, commandLog: true, startQueries: 'stepped' };
  return openEngine(null, { ...options, deadCommandsMax });
}

/** Whether it was done, or refused as a user's mistake. */
async function attempt(engine: Engine, sql: string): Promise<string> {
  try {
    await execute(engine, sql);
    return 'done';
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return error.code;
  }
}

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

test.each(SEEDS)('a catalog is the same after restarts, with snapshots and without (%i)', async (seed) => {
  const random = new SeededRandom(seed);
  const statements = new Statements(random);
  const [plainLog, compactedLog] = [await openLog(), await openLog()];
  let plain = await open(plainLog, Infinity);
  let compacted = await open(compactedLog, random.integer(1, 6));
  const text: string[] = [];
  for (let i = 0; i < 60; i++) {
    const sql = statements.next(plain);
    const result = await attempt(plain, sql);
    text.push(`${sql} -- ${result}`);
    expect(await attempt(compacted, sql), text.join('\n')).toBe(result);
    if (random.chance(0.1)) {
      const before = stateOf(plain);
      await plain.close();
      await compacted.close();
      plain = await open(plainLog, Infinity);
      compacted = await open(compactedLog, random.integer(1, 6));
      text.push('-- restart');
      expect(stateOf(plain), text.join('\n')).toEqual(before);
    }
    expect(stateOf(compacted), text.join('\n')).toEqual(stateOf(plain));
  }
  await plain.close();
  await compacted.close();
});

let crashes = 0;

test.each(SEEDS)(
  'wherever it dies while it is compacted, nothing is lost and nothing is back (%i)',
  async (seed) => {
    const random = new SeededRandom(seed + 1000);
    const statements = new Statements(random);
    const [plainLog, crashingLog] = [await openLog(), await openLog()];
    const plain = await open(plainLog, Infinity);
    let crashing = await open(crashingLog, 1);
    for (let i = 0; i < 60; i++) {
      const sql = statements.next(plain);
      if (random.chance(0.3)) crashingLog.crash(random.integer(1, 3), random.chance(0.5));
      const before = stateOf(plain);
      const result = await attempt(plain, sql);
      const answer = await attempt(crashing, sql).catch((error: unknown) => error);
      // The log is compacted behind the answer, and before the next statement.
      await attempt(crashing, 'DROP TYPE NOT_THERE;').catch(() => undefined);
      if (!crashingLog.dead) {
        expect(answer).toBe(result);
        expect(stateOf(crashing)).toEqual(stateOf(plain));
        continue;
      }
      crashes++;
      await crashing.close().catch(() => undefined);
      crashingLog.reopen();
      crashing = await open(crashingLog, random.integer(1, 3));
      const found = stateOf(crashing);
      // What was not acknowledged may be there or not.
      if (answer === 'done') expect(found).toEqual(stateOf(plain));
      else expect([before, stateOf(plain)]).toContainEqual(found);
      if (!isDeepStrictEqual(found, stateOf(plain))) await attempt(crashing, sql);
    }
    await plain.close();
    await crashing.close();
  },
);

test('it did die', () => expect(crashes).toBeGreaterThan(SEEDS.length));

test('a query keeps the function that it was made with, though the function was replaced', async () => {
  const log = await openLog();
  const running = async (): Promise<Engine> =>
    openEngine(null, { log, commandLog: true, deadCommandsMax: 1 });
  let engine = await running();
  const define = (result: string): string =>
    `CREATE OR REPLACE FUNCTION F(N INT) RETURNS STRING LANGUAGE JAVASCRIPT AS $$ return '${result}'; $$;`;
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
     ${define('first')} CREATE STREAM A AS SELECT K, F(V) AS W FROM S;
     ${define('second')} ${define('third')} CREATE STREAM B AS SELECT K, F(V) AS W FROM S;
     ${define('last')} CREATE TYPE T AS INT; DROP TYPE T; CREATE TYPE T AS INT; DROP TYPE T;
     CREATE TYPE T AS INT; DROP TYPE T; CREATE TYPE T AS INT; DROP TYPE T;`,
  );
  for (let restarts = 0; restarts < 2; restarts++) {
    await engine.close();
    engine = await running();
  }
  await execute(engine, 'INSERT INTO S VALUES (1, 1);');
  await engine.drain();
  expect((await execute(engine, 'SELECT W FROM A;')).rows).toEqual([['first']]);
  expect((await execute(engine, 'SELECT W FROM B;')).rows).toEqual([['third']]);
  await engine.close();
  // The second one is needed by nobody.
  const { commands } = await (await CommandLog.open(log, 'test')).read();
  const functions = commands.filter(({ command }) => command!.statement.includes('FUNCTION'));
  expect(functions.map(({ command }) => /return '(.*)'/.exec(command!.statement)![1])).toEqual([
    'first',
    'third',
    'last',
  ]);
});

test('a script goes on where it was, whatever has become of the command log', async () => {
  const log = await openLog();
  const engine = await open(log, 1);
  await execute(engine, "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');");
  const statements = parseStatements('CREATE STREAM A AS SELECT * FROM S; DROP STREAM A;');
  const script = await engine.openScript(['a.sql'], statements);
  for (const [index, statement] of statements.entries()) {
    script.index = index;
    await engine.execute(statement, newSession(), script);
  }
  await script.close();
  for (let i = 0; i < 20; i++) await execute(engine, `CREATE STREAM B AS SELECT * FROM S; DROP STREAM B;`);
  expect((await log.admin.offsets('_millrace_test_command_topic'))[0]!.start).toBeGreaterThan(20);
  expect((await engine.openScript(['a.sql'], statements)).progress!.done).toBe(2);
  await engine.close();
});

test('600 streams that were created and dropped leave a log of a few commands', async () => {
  const log = await openLog();
  const engine = await open(log, 100);
  await execute(engine, "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');");
  for (let i = 0; i < 600; i++)
    await execute(engine, `CREATE STREAM A${i} AS SELECT * FROM S; DROP STREAM A${i};`);
  await attempt(engine, 'DROP TYPE NOT_THERE;');
  const { start, end } = (await log.admin.offsets('_millrace_test_command_topic'))[0]!;
  expect(end - start).toBeLessThan(210);
  await engine.close();
  const again = await open(log, 100);
  expect(again.catalog.sources().map(({ name }) => name)).toEqual(['KSQL_PROCESSING_LOG', 'S']);
  expect(again.sequence).toBe(600);
  await again.close();
});
