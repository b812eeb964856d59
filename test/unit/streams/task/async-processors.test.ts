import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ManualClock, systemClock, TIMER_MS_MAX } from '../../../../src/common/clock.ts';
import { DataError } from '../../../../src/common/error.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import type { AsyncOptions } from '../../../../src/streams/dsl/async-options.ts';
import type { KStream } from '../../../../src/streams/dsl/kstream.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { continueOnError } from '../../../../src/streams/task/error-handlers.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';
import type { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { drain, openStreams } from '../../../harness/open-streams.ts';

/** A service whose answers come when a test says so. */
class Service {
  /** In the order in which they were asked. */
  readonly asked: string[] = [];
  readonly #answers = new Map<
    string,
    { resolve: (answer: string) => void; reject: (error: Error) => void }
  >();
  open = 0;
  openMax = 0;

  ask(question: string): Promise<string> {
    this.asked.push(question);
    this.openMax = Math.max(this.openMax, ++this.open);
    return new Promise<string>((resolve, reject) => this.#answers.set(question, { resolve, reject })).finally(
      () => this.open--,
    );
  }

  answer(question: string): void {
    this.#answers.get(question)!.resolve(question.toUpperCase());
  }

  fail(question: string): void {
    this.#answers.get(question)!.reject(new DataError('no answer'));
  }
}

let log: Log;
let clock: ManualClock;
let service: Service;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  clock = new ManualClock(1_000_000);
  service = new Service();
  for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
});

afterEach(async () => {
  await log.close();
});

function build(describe: (stream: KStream<string, string>) => KStream<string, string>): Topology {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  describe(builder.stream<string, string>('in')).to('out', { keySerde: Serdes.string });
  return builder.build();
}

const asking = (options?: AsyncOptions): Topology =>
  build((stream) => stream.mapValuesAsync((value) => service.ask(value), options));

const open = (topology: Topology, overrides: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(topology, { log, clock, ...overrides });

const send = (...records: readonly (readonly [key: string, value: string])[]): Promise<unknown> =>
  produce(
    log,
    'in',
    records.map(([key, value]) => ({ key, value })),
  );

const results = async (): Promise<string[]> =>
  (await readAll(log, 'out')).map(({ value }) => value!.toString());

async function turns(streams: SteppedStreams, until: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !until(); i++) await streams.step();
  expect(until()).toBe(true);
}

const committed = async (): Promise<number | undefined> => (await log.admin.committed('app'))[0]?.offset;

test('calls of different keys run at a time, results come in the order of the input', async () => {
  const streams = await open(asking());
  await send(['a', 'one'], ['b', 'two'], ['c', 'three']);
  await turns(streams, () => service.asked.length === 3);
  service.answer('three');
  service.answer('two');
  for (let i = 0; i < 5; i++) await streams.step();
  expect(streams.tasks[0]!.turn.awaits).toBe(true);
  service.answer('one');
  await streams.commit();
  expect(await results()).toEqual(['ONE', 'TWO', 'THREE']);
  await streams.close();
});

test('calls of one key run one after the other', async () => {
  const streams = await open(asking());
  await send(['a', 'one'], ['a', 'two'], ['b', 'three']);
  await turns(streams, () => service.asked.length === 2);
  for (let i = 0; i < 5; i++) await streams.step();
  expect(service.asked).toEqual(['one', 'three']);
  service.answer('one');
  await turns(streams, () => service.asked.length === 3);
  service.answer('two');
  service.answer('three');
  await streams.commit();
  expect(await results()).toEqual(['ONE', 'TWO', 'THREE']);
  await streams.close();
});

test('no more calls run at a time than may, and no further record is taken', async () => {
  const streams = await open(asking({ concurrency: 2 }));
  await send(...Array.from({ length: 10 }, (_, i) => [`k${i}`, `v${i}`] as const));
  await turns(streams, () => service.asked.length === 2);
  for (let i = 0; i < 5; i++) await streams.step();
  expect(service.asked).toHaveLength(2);
  expect(streams.processedRecords).toBe(2);
  for (let i = 0; i < 10; i++) {
    await turns(streams, () => service.asked.length > i);
    service.answer(`v${i}`);
  }
  await streams.commit();
  expect(service.openMax).toBe(2);
  expect(await results()).toEqual(Array.from({ length: 10 }, (_, i) => `V${i}`));
  await streams.close();
});

test('a commit waits for the calls that are on their way, and takes their results along', async () => {
  const streams = await open(asking());
  await send(['a', 'one']);
  await turns(streams, () => service.asked.length === 1);
  let done = false;
  const commit = streams.commit().then(() => (done = true));
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  expect(await committed()).toBe(0);
  service.answer('one');
  await commit;
  expect(await committed()).toBe(1);
  expect(await results()).toEqual(['ONE']);
  await streams.close();
});

test('a call that fails stops the application before its record is committed, or is dropped as the handler says', async () => {
  const strict = await open(asking());
  await send(['a', 'one'], ['b', 'two']);
  await turns(strict, () => service.asked.length === 2);
  service.fail('one');
  service.answer('two');
  await expect(
    (async () => {
      for (;;) await strict.step();
    })(),
  ).rejects.toThrow('failed on the record at in-0, offset 0: no answer');
  await strict.close();
  expect(await committed()).toBe(0);

  const lenient = await open(asking(), { handlers: { processing: continueOnError } });
  await turns(lenient, () => service.asked.length === 4);
  service.fail('one');
  service.answer('two');
  await lenient.commit();
  expect(lenient.skippedRecords).toBe(1);
  expect(await results()).toEqual(['TWO']);
  await lenient.close();
});

test('a result that is none is a fault of its record, and the handler decides', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  const wrong: Record<string, unknown> = {
    late: { key: 'k', value: 'v', timestamp: 1.5 },
    nothing: true,
    absent: { key: 'k', value: undefined },
  };
  builder
    .stream<string, string>('in')
    .processAsync<string, string>(async ({ key, value }) =>
      value in wrong ? (wrong[value] as never) : { key, value },
    )
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build(), {
    handlers: { processing: continueOnError },
  });
  onTestFinished(() => driver.close());
  await driver
    .createInputTopic('in', Serdes.string, Serdes.string)
    .pipeValues([...Object.keys(wrong), 'good']);
  expect(await driver.createOutputTopic('out', Serdes.string, Serdes.string).readValues()).toEqual(['good']);
  expect(driver.skipped.map(({ node, offset }) => [node, offset])).toEqual(
    [0, 1, 2].map((offset) => ['KSTREAM-PROCESSOR-0000000001', offset]),
  );
});

test('a call may be given all time', async () => {
  const streams = await open(asking({ timeoutMs: Infinity }));
  const delays: number[] = [];
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (delayMs, action) => {
    delays.push(delayMs);
    return setTimer(delayMs, action);
  };
  await send(['a', 'one']);
  await turns(streams, () => service.asked.length === 1);
  // A timer of the machine that waits longer fires at once.
  expect(delays.filter((delayMs) => delayMs > TIMER_MS_MAX)).toEqual([]);
  service.answer('one');
  await streams.close();
});

test('a call that does not come back in time has failed', async () => {
  const streams = await open(asking({ timeoutMs: 5000 }), { handlers: { processing: continueOnError } });
  await send(['a', 'one']);
  await turns(streams, () => service.asked.length === 1);
  clock.advance(5000);
  await streams.commit();
  expect(streams.skippedRecords).toBe(1);
  expect(await committed()).toBe(1);
  await streams.close();
});

test('a call that was on its way when the process ended is made again', async () => {
  const first = await open(asking());
  await send(['a', 'one']);
  await turns(first, () => service.asked.length === 1);
  // It never commits: its process is gone.
  const second = await open(asking());
  await turns(second, () => service.asked.length === 2);
  service.answer('one');
  await second.commit();
  expect(await results()).toEqual(['ONE']);
  await second.close();
});

test('results may go on to state that lies on the disk, and to further calls', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder
    .stream<string, string>('in')
    .mapValuesAsync((value) => Promise.resolve(value.toUpperCase()))
    .groupByKey()
    .reduce((sum, value) => `${sum}${value}`, { name: 'sums' })
    .toStream()
    .mapValuesAsync((value) => Promise.resolve(`<${value}>`))
    .to('out');
  const streams = await open(builder.build(), {
    state: openStateBackend({ residentBytes: 0 }),
    stateBytesMax: 0,
  });
  await send(['a', 'x'], ['b', 'y'], ['a', 'z']);
  await drain(streams);
  expect(await results()).toEqual(['<X>', '<Y>', '<XZ>']);
  await streams.close();
});

test('processAsync forwards none, one or several records under keys of its own, in the test driver at once', async () => {
  const topology = build((stream) =>
    stream.processAsync(async ({ key, value, timestamp }) => {
      await Promise.resolve();
      if (value === 'none') return null;
      if (value === 'one') return { key: `${key}!`, value };
      return [
        { key, value: '1' },
        { key, value: '2', timestamp: timestamp + 1 },
      ];
    }),
  );
  const driver = await TopologyTestDriver.open(topology);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInput('a', 'none', 1);
  await input.pipeInput('a', 'one', 2);
  await input.pipeInput('a', 'both', 3);
  const records = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
  expect(records.map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    ['a!', 'one', 2],
    ['a', '1', 3],
    ['a', '2', 4],
  ]);
  await driver.close();
});
