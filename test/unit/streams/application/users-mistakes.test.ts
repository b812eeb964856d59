import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { KeyValueStoreView } from '../../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { UserContext } from '../../../../src/streams/dsl/user-processor.ts';
import { continueOnError, type ErrorHandler } from '../../../../src/streams/task/error-handlers.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import {
  TopologyTestDriver,
  type TopologyTestDriverOptions,
} from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { TopologyError } from '../../../../src/streams/topology/topology-error.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, createStreams } from '../../../harness/open-streams.ts';
import { until } from '../../../harness/until.ts';

/** Handlers, listeners and values that are not what they should be: told by name, and nothing else breaks. */

// oxlint-disable-next-line no-explicit-any
type Any = any;

const builderOf = (build: (builder: StreamsBuilder) => unknown): StreamsBuilder => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  build(builder);
  return builder;
};

async function open(
  build: (builder: StreamsBuilder) => unknown,
  options: TopologyTestDriverOptions = {},
): Promise<TopologyTestDriver> {
  const driver = await TopologyTestDriver.open(builderOf(build).build(), options);
  onTestFinished(() => driver.close().catch(() => undefined));
  return driver;
}

const pipe = (driver: TopologyTestDriver, value: string): Promise<void> =>
  driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', value, 1);

const failing = (builder: StreamsBuilder): void =>
  builder
    .stream<string, string>('in')
    .mapValues<string>(
      () => {
        throw new Error('too bad');
      },
      { name: 'mine' },
    )
    .to('out');

describe('a handler whose verdict is none', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /its handler gave undefined/],
    ['another word', 'skip', /its handler gave "skip"/],
    ['true', true, /its handler gave true/],
    ['a promise', Promise.resolve('continue'), /its handler gave a promise, for which nobody waits/],
  ])('%s', async (_, verdict, message) => {
    const handler = (() => verdict) as ErrorHandler;
    const driver = await open(failing, { handlers: { processing: handler } });
    await expect(pipe(driver, 'a')).rejects.toThrow(message);
    expect(driver.skipped).toEqual([]);
  });

  test('and a dead letter that has no topic to go to, names the record', async () => {
    const driver = await open(failing, { handlers: { processing: () => 'dead-letter' } });
    await expect(pipe(driver, 'a')).rejects.toThrow(
      /mine of task 0_0 failed on the record at in-0, offset 0: too bad, and its handler sends to the dead letter topic/,
    );
  });

  test('and one that throws is asked once, and names what it was asked about', async () => {
    let asked = 0;
    const handler: ErrorHandler = () => {
      asked++;
      throw new Error('no idea');
    };
    const driver = await open(
      (builder) => {
        failing(builder);
      },
      { handlers: { processing: handler } },
    );
    await expect(pipe(driver, 'a')).rejects.toThrow(
      /mine of task 0_0 failed on the record at in-0, offset 0: too bad, and its handler failed: no idea/,
    );
    expect(asked).toBe(1);
  });
});

describe('listeners and processors that throw', () => {
  let log: Log;
  let directory: string;
  let errors: string[];
  const logger = {
    ...silentLogger,
    error: (fields: Any, message: string) => void errors.push(`${message}: ${String(fields.error)}`),
  } as typeof silentLogger;

  beforeEach(async () => {
    errors = [];
    log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    directory = mkdtempSync(join(tmpdir(), 'millrace-mistakes-'));
    for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
  });
  afterEach(async () => {
    await closeStreams();
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const streamsOf = (build: (builder: StreamsBuilder) => unknown, options: Partial<StreamsOptions> = {}) =>
    createStreams(builderOf(build).build(), { log, logger, ...options });

  const throws = (what: string) => (): never => {
    throw new Error(what);
  };

  test('do not keep an application from running, failing and being started again', async () => {
    let failures = 2;
    const streams = streamsOf(
      (builder) =>
        builder
          .stream<string, string>('in')
          .mapValues((value) => {
            if (failures-- > 0) throw new Error('not yet');
            return value;
          })
          .to('out'),
      {
        onStateChange: throws('a bad listener'),
        onError: () => Promise.reject(new Error('a late one')) as Any,
        onSkip: throws('unused'),
        onUncaughtError: () => 'replace',
        restartMinMs: 1,
        restartMaxMs: 1,
      },
    );
    await streams.start();
    await produce(log, 'in', [{ key: 'k', value: 'v' }]);
    await until(() => streams.state === 'running' && streams.processedRecords === 1);
    await streams.catchUp();
    expect(await readAll(log, 'out')).toHaveLength(1);
    expect(streams.state).toBe('running');
    await streams.close();
    expect(streams.state).toBe('stopped');
    expect(errors).toContain('onStateChange has failed; the application goes on: a bad listener');
    expect(errors).toContain('onError has failed; the application goes on: a late one');
  });

  test.each<[string, Any, string]>([
    ['that throws', throws('no idea'), 'onUncaughtError has failed; the application goes on: no idea'],
    ['that gives no policy', () => 'again', "neither 'stop' nor 'replace'"],
  ])('a policy %s stops the application', async (_, onUncaughtError, message) => {
    const streams = streamsOf(failing, { onUncaughtError, onError: throws('again') });
    await streams.start();
    await produce(log, 'in', [{ key: 'k', value: 'v' }]);
    await until(() => streams.state === 'error');
    expect(String(streams.error)).toMatch(/too bad/);
    expect(errors.join('\n')).toContain(message);
  });

  test('in close leave nothing open: the others are closed and the lock is given back', async () => {
    const closed: string[] = [];
    const two = (builder: StreamsBuilder): void => {
      const input = builder.stream<string, string>('in');
      input.groupByKey().count({ name: 'counts' });
      for (const name of ['one', 'two'])
        input.process(
          () => ({
            process: () => undefined,
            close() {
              closed.push(name);
              throw new Error(`${name} will not`);
            },
          }),
          { name },
        );
    };
    for (let round = 1; round <= 2; round++) {
      const streams = streamsOf(two, { stateDirectory: directory, state: openStateBackend() });
      await streams.start();
      await streams.close();
      expect(streams.state).toBe('stopped');
    }
    expect(closed).toEqual(['one', 'two', 'one', 'two']);
    expect(errors).toContain('something could not be closed: Error: one will not');
  });

  test('in init close those that were opened, and only those', async () => {
    const seen: string[] = [];
    const streams = streamsOf((builder) => {
      const input = builder.stream<string, string>('in');
      for (const name of ['one', 'two', 'three'])
        input.process(
          () => ({
            init() {
              seen.push(`open ${name}`);
              if (name === 'two') throw new Error('two will not');
            },
            process: () => undefined,
            close: () => void seen.push(`close ${name}`),
          }),
          { name },
        );
    });
    await expect(streams.start()).rejects.toThrow('two will not');
    expect(seen).toEqual(['open one', 'open two', 'close one', 'close two']);
  });

  test('a pause holds back what was being waited for', async () => {
    const streams = streamsOf((builder) => builder.stream('in').to('out'));
    await streams.open();
    const step = streams.step(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    streams.pause();
    await produce(log, 'in', [{ key: 'k', value: 'v' }]);
    expect(await step).toBe(false);
    await streams.commit();
    expect(await readAll(log, 'out')).toEqual([]);
    expect(streams.processedRecords).toBe(0);
    streams.resume();
    await streams.step();
    await streams.commit();
    expect((await readAll(log, 'out')).map(({ value }) => value)).toEqual(['v']);
  });
});

describe('a value that its serde cannot write', () => {
  const putting = (value: unknown) => (builder: StreamsBuilder) => {
    builder.addStateStore({ name: 'rows', kind: 'key-value', valueSerde: Serdes.long });
    builder.stream<string, string>('in').process(
      () => {
        let context: UserContext;
        return {
          init: (each) => void (context = each),
          process: ({ key }) =>
            context.getStateStore<KeyValueStoreView<string, unknown>>('rows').put(key, value),
        };
      },
      { stores: ['rows'], name: 'mine' },
    );
  };

  test('fails where it is put, and the handler decides', async () => {
    await expect(pipe(await open(putting('five')), 'a')).rejects.toThrow(
      /mine of task 0_0 failed on the record at in-0, offset 0: "five" is not a safe integer/,
    );
    const lax = await open(putting(5.5), { handlers: { processing: continueOnError } });
    await pipe(lax, 'a');
    expect(lax.skipped).toMatchObject([{ node: 'mine', reason: 'evaluation' }]);
    expect(lax.getKeyValueStore('rows').all()).toEqual([]);
  });

  test('fails so in an aggregate too', async () => {
    const driver = await open(
      (builder) =>
        builder
          .stream<string, string>('in')
          .groupByKey()
          .aggregate<number>(
            () => 0,
            (_key, value, sum) => sum + (value as Any),
            { name: 'sums', valueSerde: Serdes.long },
          ),
      { handlers: { processing: continueOnError } },
    );
    await pipe(driver, 'a');
    expect(driver.skipped).toMatchObject([{ detail: '"0a" is not a safe integer' }]);
  });

  test('that no glance finds, or that is too large, names store and key', async () => {
    const nested = await open((builder) => {
      builder
        .stream<string, string>('in')
        .groupByKey()
        .aggregate<object>(
          () => ({}),
          () => ({ n: 1n }),
          { name: 'sums', valueSerde: Serdes.json<object>() },
        );
    });
    await expect(pipe(nested, 'a')).rejects.toThrow(/store sums cannot write the row of key "k": .*BigInt/);
    const large = await open((builder) => {
      builder
        .stream<string, string>('in')
        .groupByKey()
        .aggregate<string>(
          () => '',
          () => 'x'.repeat(1_048_576),
          { name: 'sums' },
        );
    });
    await expect(pipe(large, 'a')).rejects.toThrow(
      /the row of key "k" in store sums has 1048576 bytes, which its changelog cannot take/,
    );
  });
});

describe('a partitioner', () => {
  test.each([3, -Infinity, 0.5, Number.NaN, '1', [0, 7]])(
    'that gives %s names topic and sink',
    async (partition) => {
      const build = (builder: StreamsBuilder): void =>
        builder.stream('in').to('out', { partitioner: () => partition as number, name: 'write' });
      const topics = { out: 3 };
      if (partition === -Infinity) return pipe(await open(build, { topics }), 'a');
      await expect(pipe(await open(build, { topics }), 'a')).rejects.toThrow(
        /write of task 0_0 .*the partitioner gives .*, and topic out has 3 partitions/,
      );
      const lax = await open(build, { topics, handlers: { production: continueOnError } });
      await pipe(lax, 'a');
      expect(lax.skipped).toMatchObject([{ node: 'write', reason: 'serialization' }]);
      return undefined;
    },
  );
});

test('a store that is not connected, or a child that is not there, is the topology’s fault', async () => {
  const build = (act: (context: Any) => void) => (builder: StreamsBuilder) => {
    builder.addStateStore({ name: 'rows', kind: 'key-value' });
    builder.stream('in').process(() => ({ process: () => undefined }), { stores: ['rows'] });
    builder.stream('in').process(
      () => {
        let context: Any;
        return { init: (each) => void (context = each), process: () => act(context) };
      },
      { name: 'mine' },
    );
  };
  const lax = { handlers: { processing: continueOnError } };
  const unconnected = await open(
    build((context) => context.getStateStore('rows')),
    lax,
  );
  await expect(pipe(unconnected, 'a')).rejects.toThrow('store rows is not connected to mine');
  const childless = await open(
    build((context) => context.forward({ key: 'k', value: 'v' }, 'nobody')),
    lax,
  );
  await expect(pipe(childless, 'a')).rejects.toThrow('mine has no child nobody');
  const driver = await open((builder) => builder.stream('in').to('out'));
  await expect(
    driver.createInputTopic('other', Serdes.string, Serdes.string).pipeInput('k', 'v'),
  ).rejects.toThrow(TopologyError);
});

test('a program that waits for records of the embedded log is not over', () => {
  const program = `
    import { openEmbeddedLog, silentLogger, systemClock } from '${new URL('../../../../dist/streams.js', import.meta.url).href}';
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    await log.admin.createTopic({ name: 'in', partitions: 1 });
    const reader = log.openReader();
    reader.assign({ topic: 'in', partition: 0, offset: 0 });
    console.log((await reader.poll(100)).length, 'batches');
  `;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect({ stdout, status }).toEqual({ stdout: '0 batches\n', status: 0 });
});

test('a clock that stands still does not end it either', async () => {
  const clock = new ManualClock(0);
  const log = await openEmbeddedLog({ clock, logger: silentLogger });
  const reader = log.openReader();
  const polled = reader.poll(100);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(100);
  expect(await polled).toEqual([]);
  await log.close();
});
