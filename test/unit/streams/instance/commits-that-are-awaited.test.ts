import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log, LogWriter } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { produce } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, openStreams } from '../../../harness/open-streams.ts';

/** Transactions since the test began. */
let commits = 0;

/** As a log whose output is seen when its transaction has ended, and not when it was sent. */
const transactional = (log: Log): Log => ({
  admin: log.admin,
  openReader: (options) => log.openReader(options),
  close: () => log.close(),
  async openWriter(options) {
    const writer = await log.openWriter(options);
    const wrapped: LogWriter = {
      appender: (at) => writer.appender(at),
      get pendingBytes() {
        return writer.pendingBytes;
      },
      get unsentBytes() {
        return writer.unsentBytes;
      },
      atomicCommit: true,
      flushStaysHidden: true,
      lingerMs: 5,
      readable: () => writer.readable(),
      flush: () => Promise.resolve(),
      commit(offsets) {
        commits++;
        return writer.commit(offsets);
      },
      endOffset: (at) => writer.endOffset(at),
      isPending: (at) => writer.isPending(at),
      close: () => writer.close(),
    };
    return wrapped;
  },
});

const rounds = Array.from({ length: 20 }, (_, i) => (i + 1) * 10);

/** Steps over `rounds` rows of each topic, whose times alternate, until `seen` has an entry of each order. */
async function run(
  commitIntervalMs: number,
  build: (builder: StreamsBuilder, seen: string[]) => void,
): Promise<string[]> {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  try {
    for (const name of ['orders', 'names']) await log.admin.createTopic({ name, partitions: 1 });
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    const seen: string[] = [];
    build(builder, seen);
    const streams = await openStreams(builder.build(), {
      log: transactional(log),
      commitIntervalMs,
    });
    await produce(
      log,
      'names',
      rounds.map((at) => ({ key: 'a', value: `n${at}`, timestamp: at })),
    );
    await produce(
      log,
      'orders',
      rounds.map((at) => ({ key: `o${at}`, value: 'a', timestamp: at + 5 })),
    );
    commits = 0;
    for (let i = 0; i < 500 && !rounds.every((at) => seen.some((row) => row.startsWith(`o${at} `))); i++)
      await streams.step(20);
    return seen;
  } finally {
    await closeStreams();
    await log.close();
  }
}

test('a join that waits for rows of its own repartition has them before the commit interval is over', async () => {
  const seen = await run(3_600_000, (builder, rows) =>
    builder
      .stream<string, string>('orders')
      .map((key, value) => [value, key])
      .join(builder.table<string, string>('names'), (order, name) => `${order} ${name}`)
      .foreach((_key, value) => {
        rows.push(value);
      }),
  );
  expect(seen).toEqual(rounds.map((at) => `o${at} n${at}`));
});

test('rows of a join by foreign key do not wait for the answers to those before them', async () => {
  const seen = await run(50, (builder, rows) =>
    builder
      .table<string, string>('orders')
      .join(
        builder.table<string, string>('names'),
        (order) => order,
        (_order, name) => name,
      )
      .toStream()
      .foreach((key, value) => {
        rows.push(`${key} ${value}`);
      }),
  );
  expect(new Set(seen.map((row) => row.split(' ')[0]))).toEqual(new Set(rounds.map((at) => `o${at}`)));
  expect(commits).toBeLessThan(12);
});

test('who waits until all is processed and committed does not wait for the commit interval', async () => {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  try {
    for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder
      .stream<string, string>('in')
      .groupBy((_key, value) => value)
      .count()
      .toStream()
      .to('out', { valueSerde: Serdes.long });
    const streams = createStreams(builder.build(), {
      log: transactional(log),
      commitIntervalMs: 3_600_000,
    });
    await streams.start();
    await produce(log, 'in', [{ key: 'k', value: 'a' }]);
    await streams.catchUp();
    expect((await log.admin.offsets('out'))[0]!.end).toBe(1);
  } finally {
    await closeStreams();
    await log.close();
  }
}, 20_000);
