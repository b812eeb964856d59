import { expect, test } from 'vitest';
import { silentLogger } from '../../../../src/common/logger.ts';
import { ManualClock } from '../../../../src/common/clock.ts';
import { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';

const GOOD = {
  applicationId: 'app',
  stateDirectory: null,
  clock: new ManualClock(),
  logger: silentLogger,
} as unknown as StreamsOptions;

const NUMBERS = [
  'commitIntervalMs',
  'persistIntervalMs',
  'stateCleanupDelayMs',
  'unpersistedBytesMax',
  'stateBytesMax',
  'bufferBytesMax',
  'maxIdleMs',
  'topicRefreshMs',
  'restartMinMs',
  'restartMaxMs',
] as const;

test.each(NUMBERS)('%s is a whole number in its range, or the application is not made', (name) => {
  const hostile: unknown[] = [
    Number.NaN,
    -5,
    Infinity,
    -Infinity,
    1.5,
    2 ** 53,
    '100',
    null,
    {},
    [],
    1n,
    true,
  ];
  for (const value of hostile) {
    const made = (): SteppedStreams => new SteppedStreams(new Topology(), { ...GOOD, [name]: value });
    expect(made, String(value)).toThrow(RangeError);
    expect(made, String(value)).toThrow(`${name} must be a whole number`);
  }
  expect(() => new SteppedStreams(new Topology(), { ...GOOD, [name]: 1 })).not.toThrow();
  expect(() => new SteppedStreams(new Topology(), { ...GOOD, [name]: undefined })).not.toThrow();
});

test.each([
  ['applicationId', ''],
  ['applicationId', undefined],
  ['applicationId', '../../etc'],
  ['applicationId', 'a b'],
  ['applicationId', 'x'.repeat(250)],
  ['deadLetterTopic', 'a/b'],
  ['producer', { compression: 'brotli' }],
  ['producer', { requestBytesMax: 0 }],
  ['internalTopics', { replicas: -2 }],
  ['offsetReset', 'sideways'],
  ['offsetReset', null],
  ['offsetReset', { byDurationMs: -1 }],
  ['offsetReset', {}],
  ['onUncaughtError', 'continue'],
])('%s: %s is refused by name', (name, value) => {
  const made = (): SteppedStreams =>
    new SteppedStreams(new Topology(), { ...GOOD, [name]: value } as StreamsOptions);
  expect(made).toThrow(RangeError);
  expect(made).toThrow(name);
});

test('a state directory is named, or said to be none', () => {
  for (const stateDirectory of [undefined, 5, {}] as never[])
    expect(() => new SteppedStreams(new Topology(), { ...GOOD, stateDirectory })).toThrow(
      'stateDirectory must be a directory, or null for memory, not',
    );
});

test('handlers are functions, for steps that there are', () => {
  const of = (handlers: unknown) => () => new SteppedStreams(new Topology(), { ...GOOD, handlers } as never);
  expect(of({ procesing: () => 'continue' })).toThrow(
    'handlers must be of deserialization, processing or production, not "procesing"',
  );
  expect(of({ processing: 'continue' })).toThrow('handlers.processing must be a function, not "continue"');
  expect(of({ processing: undefined, production: () => 'fail' })).not.toThrow();
});
