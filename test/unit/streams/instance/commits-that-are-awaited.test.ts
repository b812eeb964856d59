import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log, LogWriter } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { produce } from '../../../harness/log-records.ts';
import { closeStreams, openStreams } from '../../../harness/open-streams.ts';

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
      atomicCommit: true,
      flushStaysHidden: true,
      readable: () => writer.readable(),
      flush: () => Promise.resolve(),
      commit: (offsets) => writer.commit(offsets),
      endOffset: (at) => writer.endOffset(at),
      isPending: (at) => writer.isPending(at),
      close: () => writer.close(),
    };
    return wrapped;
  },
});

test('a join that waits for rows of its own repartition has them before the commit interval is over', async () => {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  try {
    for (const name of ['orders', 'names']) await log.admin.createTopic({ name, partitions: 1 });
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    const seen: string[] = [];
    builder
      .stream<string, string>('orders')
      .selectKey((_key, value) => value)
      .join(builder.table<string, string>('names'), (order, name) => `${order} ${name}`)
      .foreach((_key, value) => seen.push(value));
    const streams = await openStreams(builder.build(), {
      log: transactional(log),
      commitIntervalMs: 3_600_000,
    });
    const rounds = [10, 20, 30];
    await produce(
      log,
      'names',
      rounds.map((at) => ({ key: 'a', value: `n${at}`, timestamp: at })),
    );
    await produce(
      log,
      'orders',
      rounds.map((at) => ({ key: 'o', value: 'a', timestamp: at + 5 })),
    );
    for (let i = 0; i < 50 && seen.length < 3; i++) await streams.step(20);
    expect(seen).toEqual(['a n10', 'a n20', 'a n30']);
  } finally {
    await closeStreams();
    await log.close();
  }
});
