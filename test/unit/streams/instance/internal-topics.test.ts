import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log, NewTopic } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { closeStreams, openStreams } from '../../../harness/open-streams.ts';

let log: Log;
let created: NewTopic[];

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await log.admin.createTopic({ name: 'in', partitions: 2 });
  created = [];
  const create = log.admin.createTopic.bind(log.admin);
  log.admin.createTopic = (topic) => {
    created.push(topic);
    return create(topic);
  };
});

afterEach(async () => {
  await closeStreams();
  await log.close();
});

test('repartition and changelog topics have the replicas and settings that the application was given', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  const grouped = builder
    .stream<string, string>('in')
    .groupBy((_key, value) => value, { keySerde: Serdes.string, name: 'words' });
  grouped.count({ name: 'plain' });
  grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(1000)).count({ name: 'windowed', retentionMs: 5000 });
  builder.addStateStore({ name: 'own', kind: 'key-value', logConfig: { 'max.message.bytes': '7000000' } });
  builder.stream('in').process(() => ({ process: () => undefined }), { stores: ['own'] });
  const configs = { 'max.message.bytes': '5000000', 'cleanup.policy': 'compact', 'retention.ms': '1' };
  await openStreams(builder.build(), { log, internalTopics: { replicas: 3, configs } });

  const made = new Map(created.map((topic) => [topic.name, topic]));
  expect([...made.keys()].sort()).toEqual([
    'app-own-changelog',
    'app-plain-changelog',
    'app-windowed-changelog',
    'app-words-repartition',
  ]);
  for (const { replicas } of created) expect(replicas).toBe(3);
  const settings = (name: string): NewTopic['configs'] => made.get(name)!.configs;
  expect(settings('app-words-repartition')).toMatchObject(configs);
  expect(settings('app-plain-changelog')).toMatchObject(configs);
  // How long rows of windows stay is not for the application to say, and a store's own settings come last.
  expect(settings('app-windowed-changelog')).toMatchObject({
    'max.message.bytes': '5000000',
    // Five seconds, the window's own end left out, and a day.
    'retention.ms': '86404999',
  });
  expect(settings('app-own-changelog')).toMatchObject({ 'max.message.bytes': '7000000' });
});

test('without being told, brokers decide about replicas', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder.stream<string, string>('in').groupByKey().count({ name: 'plain' });
  await openStreams(builder.build(), { log });
  expect(created).toMatchObject([{ name: 'app-plain-changelog', replicas: -1 }]);
});
