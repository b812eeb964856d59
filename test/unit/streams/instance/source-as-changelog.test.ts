import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { ALL_OPTIMIZATIONS } from '../../../../src/streams/dsl/graph.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { drain, openStreams } from '../../../harness/open-streams.ts';

test('a table whose topic is its changelog comes back from it, as far as it was read', async () => {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  for (const name of ['users', 'orders', 'out']) await log.admin.createTopic({ name, partitions: 1 });
  const start = (): Promise<SteppedStreams> => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    const users = builder.table<string, string>('users');
    builder
      .stream<string, string>('orders')
      .leftJoin(users, (order, user) => `${order}+${user}`)
      .to('out');
    return openStreams(builder.build(ALL_OPTIMIZATIONS), { log });
  };
  await produce(log, 'users', [
    { key: 'a', value: 'Anna', timestamp: 1 },
    { key: 'b', value: 'Ben', timestamp: 1 },
    { key: 'b', value: null, timestamp: 2 },
  ]);
  const first = await start();
  await drain(first);
  await first.close();
  expect(await log.admin.listTopics()).toEqual(['orders', 'out', 'users']);

  // Written while it was down: not in the table before it is read, at its time.
  await produce(log, 'users', [{ key: 'c', value: 'Cleo', timestamp: 20 }]);
  await produce(log, 'orders', [
    { key: 'a', value: 'o1', timestamp: 10 },
    { key: 'b', value: 'o2', timestamp: 10 },
    { key: 'c', value: 'o3', timestamp: 10 },
    { key: 'c', value: 'o4', timestamp: 30 },
  ]);
  const second = await start();
  await drain(second);
  expect((await readAll(log, 'out')).map(({ value }) => value)).toEqual([
    'o1+Anna',
    'o2+null',
    'o3+null',
    'o4+Cleo',
  ]);
  await second.close();
  await log.close();
});
