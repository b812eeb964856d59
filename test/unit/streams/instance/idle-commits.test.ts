import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, nextTurn, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log, LogReader, LogWriter, OffsetToCommit } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { produce } from '../../../harness/log-records.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { closeStreams, drain, openStreams } from '../../../harness/open-streams.ts';

/** An application with nothing to commit asks the log for nothing. */

let log: Log;
let clock: ManualClock;
let sent: ('flush' | readonly OffsetToCommit[])[];
/** Offsets behind the last record that hold none: the markers of transactions. */
let markers: number;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  clock = new ManualClock(1_000_000);
  sent = [];
  markers = 0;
  await log.admin.createTopic({ name: 'in', partitions: 2 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
});

function counting(writer: LogWriter): LogWriter {
  return new Proxy(writer, {
    get(target, name: keyof LogWriter) {
      if (name === 'flush') return () => (sent.push('flush'), target.flush());
      if (name === 'commit')
        return (offsets: readonly OffsetToCommit[]) => (sent.push(offsets), target.commit(offsets));
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function marked(reader: LogReader): LogReader {
  return new Proxy(reader, {
    get(target, name: keyof LogReader) {
      if (name === 'position')
        return (partition: Parameters<LogReader['position']>[0]) => target.position(partition) + markers;
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function open(options: Partial<StreamsOptions> = {}): Promise<SteppedStreams> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder.stream<string, string>('in').groupByKey().count({ name: 'counts' });
  return openStreams(builder.build(), {
    log: {
      admin: log.admin,
      openReader: (options) => marked(log.openReader(options)),
      openWriter: async (options) => counting(await log.openWriter(options)),
      close: () => log.close(),
    },
    clock,
    ...options,
  });
}

test('an idle application commits nothing, also when its positions move over markers, and when it is closed', async () => {
  let streams = await open();
  // Where its inputs begin, of which nothing was committed yet.
  expect(sent).toHaveLength(1);
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  await drain(streams);
  sent = [];
  for (markers = 0; markers < 20; markers++) {
    clock.advance(10_000);
    await streams.step();
    await streams.commit();
  }
  await streams.close();
  expect(sent).toEqual([]);
  markers = 0;
  streams = await open();
  for (let i = 0; i < 20; i++) {
    clock.advance(10_000);
    await streams.step();
  }
  expect(sent).toEqual([]);
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  await drain(streams);
  expect(sent.length).toBeGreaterThan(0);
});

test.each(['running', 'paused'])(
  'what was committed long ago is committed again while it is %s',
  async (state) => {
    const streams = await open();
    await produce(log, 'in', [{ key: 'a', value: 'x', partition: 1 }]);
    await drain(streams);
    sent = [];
    if (state === 'paused') streams.pause();
    const step = async (): Promise<void> => {
      const stepping = streams.step();
      await nextTurn();
      clock.advance(1);
      await stepping;
    };
    clock.advance(6 * 3_600_000 - 10);
    await step();
    expect(sent).toEqual([]);
    clock.advance(10);
    await step();
    await step();
    expect(sent).toMatchObject([
      [
        { partition: 0, offset: 0 },
        { partition: 1, offset: 1 },
      ],
    ]);
  },
);

test('what was processed before a pause is committed during it', async () => {
  const streams = await open();
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  sent = [];
  await streams.step();
  expect(sent).toEqual([]);
  streams.pause();
  clock.advance(100);
  const resting = streams.step();
  await nextTurn();
  expect(sent).toHaveLength(1);
  clock.advance(1);
  await resting;
});

test('state on disk is gone on from when its input was behind markers that nobody committed', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-markers-'));
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
  const options = () => ({ stateDirectory, logger, state: openStateBackend({ residentBytes: 0 }) });
  const streams = await open(options());
  for (const partition of [0, 1]) await produce(log, 'in', [{ key: 'a', value: 'x', partition }]);
  await drain(streams);
  markers = 3;
  // One task has something to commit; the state of the other is written with it.
  await produce(log, 'in', [{ key: 'a', value: 'x', partition: 1 }]);
  await streams.step();
  clock.advance(10_000);
  await streams.step();
  await streams.close();
  // The log has no markers: what is committed of that input must be there.
  markers = 0;
  await produce(
    log,
    'in',
    [1, 2, 3].map(() => ({ key: 'a', value: 'x', partition: 1 })),
  );
  await open(options());
  expect(warnings).toEqual([]);
  await closeStreams();
  rmSync(stateDirectory, { recursive: true, force: true });
});

test('a turn just before a commit is due does it, unless it leaves something for the next', async () => {
  const streams = await open();
  const stepAt = async (ms: number, count = 1): Promise<number> => {
    await produce(
      log,
      'in',
      Array.from({ length: count }, () => ({ key: 'a', value: 'x' })),
    );
    clock.advance(ms);
    sent = [];
    await streams.step();
    return sent.length;
  };
  await stepAt(100);
  expect(await stepAt(89)).toBe(0);
  // More than a turn takes.
  expect(await stepAt(1, 4001)).toBe(0);
  expect(await stepAt(1)).toBe(1);
  expect(await stepAt(90)).toBe(1);
});
