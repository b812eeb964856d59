import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { SeededRandom } from './random.ts';
import { produce } from './log-records.ts';
import { execute } from './open-engine.ts';

const HOUR = 3_600_000;
const PARTITIONS = 3;
/** The rows are old: Kafka would delete them. */
const KEEP = { 'retention.ms': '-1' };
interface Order {
  readonly id: number;
  readonly who: string;
  readonly time: number;
  readonly partition: number;
}

/** Orders of a month; the partition of each is open. */
function orders(seed: number, count: number): Order[] {
  const random = new SeededRandom(seed);
  const times = Array.from({ length: count }, () => Math.floor(random.next() * 30 * 24 * HOUR)).sort(
    (a, b) => a - b,
  );
  return times.map((time, id) => ({
    id,
    who: `w${Math.floor(random.next() * 5)}`,
    time,
    partition: Math.floor(random.next() * PARTITIONS),
  }));
}

function windowedCounts(rows: readonly Order[], sizeMs: number): string[] {
  const counts = new Map<string, number>();
  for (const { who, time } of rows) {
    const window = `${who} ${Math.floor(time / sizeMs) * sizeMs}`;
    counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  return [...counts].map(([window, count]) => `${window} ${count}`).toSorted();
}

/**
 * Rows that lie in several partitions, over a time that is long against the grace: none is late that would not be late
 * if all partitions were read as one, by time. All is there before the queries
 * start. `topic` makes names that nobody else uses.
 */
export function mergedPartitionsTests(open: () => Promise<Engine>, topic: (name: string) => string): void {
  let engine: Engine;
  let topics: Map<string, string>;

  beforeEach(async () => {
    engine = await open();
    topics = new Map();
  });

  afterEach(() => engine.close());

  const topicOf = (name: string): string => {
    if (!topics.has(name)) topics.set(name, topic(name));
    return topics.get(name)!;
  };

  async function load(name: string, rows: readonly Order[]): Promise<void> {
    await engine.log.admin.createTopic({ name: topicOf(name), partitions: PARTITIONS, configs: KEEP });
    await produce(
      engine.log,
      topicOf(name),
      rows.map(({ id, who, time, partition }) => ({
        key: null,
        value: `{"ID":${id},"WHO":"${who}"}`,
        timestamp: time,
        partition,
      })),
    );
    await execute(
      engine,
      `CREATE STREAM ${name} (ID INT, WHO STRING) WITH (KAFKA_TOPIC='${topicOf(name)}', VALUE_FORMAT='JSON');`,
    );
  }

  /** Rows of a table whose first column is a group and whose last a count, as `group start count`. */
  async function rowsOf(select: string): Promise<string[]> {
    await engine.drain();
    return (await execute(engine, select)).rows
      .map((row) => row.map((value) => value as string | number).join(' '))
      .toSorted();
  }

  test('a windowed count behind GROUP BY of a value column keeps every row', async () => {
    const rows = orders(1, 3000);
    await load('O', rows);
    await execute(
      engine,
      `CREATE TABLE C WITH (KAFKA_TOPIC='${topicOf('C')}') AS SELECT WHO, COUNT(*) AS N FROM O
       WINDOW TUMBLING (SIZE 30 MINUTES, RETENTION 60 DAYS, GRACE PERIOD 0 SECONDS) GROUP BY WHO;`,
    );
    expect(await rowsOf('SELECT WHO, WINDOWSTART, N FROM C;')).toEqual(windowedCounts(rows, HOUR / 2));
  });

  test('so does one over the stream that a PARTITION BY writes', async () => {
    const rows = orders(2, 3000);
    await load('O', rows);
    await execute(
      engine,
      `CREATE STREAM P WITH (KAFKA_TOPIC='${topicOf('P')}') AS SELECT WHO, ID FROM O PARTITION BY WHO;`,
    );
    await engine.drain();
    await execute(
      engine,
      `CREATE TABLE C WITH (KAFKA_TOPIC='${topicOf('C')}') AS SELECT WHO, COUNT(*) AS N FROM P
       WINDOW TUMBLING (SIZE 30 MINUTES, RETENTION 60 DAYS, GRACE PERIOD 0 SECONDS) GROUP BY WHO;`,
    );
    expect(await rowsOf('SELECT WHO, WINDOWSTART, N FROM C;')).toEqual(windowedCounts(rows, HOUR / 2));
  });

  test('sessions behind a repartition lose nothing', async () => {
    const rows = orders(3, 1000);
    await load('O', rows);
    await execute(
      engine,
      `CREATE TABLE C WITH (KAFKA_TOPIC='${topicOf('C')}') AS SELECT WHO, COUNT(*) AS N FROM O
       WINDOW SESSION (1 HOURS, RETENTION 60 DAYS, GRACE PERIOD 0 SECONDS) GROUP BY WHO;`,
    );
    const sessions: string[] = [];
    for (const who of new Set(rows.map((row) => row.who))) {
      let start = -Infinity;
      let last = -Infinity;
      let count = 0;
      const end = (): void => {
        if (count > 0) sessions.push(`${who} ${start} ${count}`);
      };
      for (const { time } of rows.filter((row) => row.who === who)) {
        if (time - last > HOUR) {
          end();
          start = time;
          count = 0;
        }
        last = time;
        count++;
      }
      end();
    }
    expect(await rowsOf('SELECT WHO, WINDOWSTART, N FROM C;')).toEqual(sessions.toSorted());
  });

  test.each([11, 12, 13])(
    'a join of two streams on value columns finds every pair (seed %i)',
    async (seed) => {
      const left = orders(seed, 300);
      const right = orders(seed + 100, 300);
      await load('L', left);
      await load('R', right);
      await execute(
        engine,
        `CREATE STREAM J WITH (KAFKA_TOPIC='${topicOf('J')}') AS SELECT L.WHO, L.ID AS A, R.ID AS B FROM L
       JOIN R WITHIN 2 HOURS GRACE PERIOD 0 SECONDS ON L.WHO = R.WHO;`,
      );
      const pairs = left.flatMap((a) =>
        right
          .filter((b) => a.who === b.who && Math.abs(a.time - b.time) <= 2 * HOUR)
          .map((b) => `${a.id} ${b.id}`),
      );
      expect(pairs.length).toBeGreaterThan(20);
      expect(await rowsOf('SELECT A, B FROM J;')).toEqual(pairs.toSorted());
    },
  );

  test('a stream that is joined through a repartition meets the row that its table had then', async () => {
    const rows = orders(5, 500);
    await load('O', rows);
    await engine.log.admin.createTopic({ name: topicOf('T'), partitions: PARTITIONS, configs: KEEP });
    // The table changes every hour; a row of the stream must see the change before it.
    const changes = Array.from({ length: 30 * 24 }, (_, hour) =>
      ['w0', 'w1', 'w2', 'w3', 'w4'].map((who) => ({
        key: who,
        value: `{"H":${hour}}`,
        timestamp: hour * HOUR,
      })),
    ).flat();
    await produce(engine.log, topicOf('T'), changes);
    await execute(
      engine,
      `CREATE TABLE T (WHO STRING PRIMARY KEY, H INT) WITH (KAFKA_TOPIC='${topicOf('T')}', VALUE_FORMAT='JSON');
     CREATE STREAM J WITH (KAFKA_TOPIC='${topicOf('J')}') AS SELECT O.WHO, ID, H FROM O JOIN T ON O.WHO = T.WHO;`,
    );
    expect(await rowsOf('SELECT ID, H FROM J;')).toEqual(
      rows.map(({ id, time }) => `${id} ${Math.floor(time / HOUR)}`).toSorted(),
    );
  });
}
