import { beforeEach, describe, expect, test } from 'vitest';
import { must } from '../../../../src/common/assert.ts';
import { ManualClock } from '../../../../src/common/clock.ts';
import { DataError } from '../../../../src/common/error.ts';
import type { LogWriter } from '../../../../src/log/log.ts';
import type { Processor } from '../../../../src/streams/topology/processor.ts';
import { Chunk } from '../../../../src/streams/task/chunk.ts';
import { continueOnError } from '../../../../src/streams/task/error-handlers.ts';
import type { InputQueue } from '../../../../src/streams/task/input-queue.ts';
import { TaskOutput } from '../../../../src/streams/task/record-sink.ts';
import type { SkippedRecord } from '../../../../src/streams/task/skipped-record.ts';
import type { TaskOptions } from '../../../../src/streams/task/task-options.ts';
import { Task } from '../../../../src/streams/task/task.ts';
import {
  partitionTimeOnInvalidTimestamp,
  skipOnInvalidTimestamp,
  wallClockTimestamp,
} from '../../../../src/streams/task/timestamp-extractors.ts';
import { type Serde, stringSerde } from '../../../../src/streams/topology/serde.ts';
import { type TimestampExtractor, Topology } from '../../../../src/streams/topology/topology.ts';
import { memoryState } from '../../../harness/memory-state.ts';
import { textBatch } from '../../../harness/text-batch.ts';

let clock: ManualClock;
let seen: string[];
let skipped: SkippedRecord[];
/** By topic. */
let lags: { a: number; b: number };
let decoded: string[];

beforeEach(() => {
  clock = new ManualClock();
  seen = [];
  skipped = [];
  lags = { a: 0, b: 0 };
  decoded = [];
});

/** Text; 'corrupt' cannot be read. */
const text: Serde<string> = {
  serialize: (value, writer) => stringSerde.serialize(value, writer),
  deserialize(buffer, start, end) {
    const value = stringSerde.deserialize(buffer, start, end);
    decoded.push(value);
    if (value === 'corrupt') throw new DataError('corrupt bytes');
    return value;
  },
};

/** One object for every value, as SQL rows are. */
function borrowedText(): Serde {
  const scratch = { value: '' };
  return {
    borrowed: true,
    serialize: () => undefined,
    deserialize(buffer, start, end) {
      scratch.value = text.deserialize(buffer, start, end);
      return scratch;
    },
  };
}

interface Setting {
  readonly topics?: readonly ('a' | 'b')[];
  readonly extractor?: TimestampExtractor;
  readonly value?: Serde;
  readonly options?: Partial<TaskOptions>;
  readonly restored?: Record<string, number>;
}

async function open({
  topics = ['a', 'b'],
  extractor,
  value = text,
  options,
  restored = {},
}: Setting = {}): Promise<{
  task: Task;
  inputs: Record<'a' | 'b', InputQueue>;
}> {
  const show = (each: unknown): string =>
    typeof each === 'object' && each !== null ? (each as { value: string }).value : String(each);
  const note: Processor = {
    process: (_key, each, _old, timestamp) => void seen.push(`${show(each)}@${timestamp}`),
  };
  const topology = new Topology()
    .addSource({
      name: 'read',
      topics,
      key: stringSerde,
      value,
      ...(extractor && { timestampExtractor: extractor }),
    })
    .addProcessor({ name: 'note', open: () => note, parents: ['read'] });
  const task = new Task(
    {
      applicationId: 'app',
      subTopology: must(topology.subTopologies()[0]),
      partition: 0,
      state: await memoryState().openTaskState(null),
      output: new TaskOutput({} as LogWriter, () => 1),
      clock,
      topicName: (topic) => topic,
      onSkip: (record) => skipped.push(record),
      maxIdleMs: 0,
      lagOf: (topic) => lags[topic as 'a' | 'b'],
      ...options,
    },
    restored,
  );
  task.init();
  return {
    task,
    inputs: Object.fromEntries(topics.map((topic) => [topic, task.addInput(topic, 0)])) as Record<
      'a' | 'b',
      InputQueue
    >,
  };
}

const run = (task: Task, recordsMax = 1000): Promise<number> => task.turn.processChunk(recordsMax, Infinity);

function at(topic: string, ...timestamps: number[]): ReturnType<typeof textBatch> {
  return textBatch(
    topic,
    0,
    timestamps.map((timestamp, offset) => ({ offset, timestamp, value: `${topic}${offset}` })),
  );
}

describe('the choice of the next record', () => {
  test('the oldest head goes first, not the oldest record', async () => {
    const { task, inputs } = await open();
    inputs.a.push(at('a', 5, 1, 9));
    inputs.b.push(at('b', 3, 6));
    lags = { a: 0, b: 0 };
    expect(await run(task)).toBe(5);
    expect(seen).toEqual(['b0@3', 'a0@5', 'a1@1', 'b1@6', 'a2@9']);
    expect(task.streamTime).toBe(9);
  });

  test('heads of one time go in the order of the inputs', async () => {
    const { task, inputs } = await open();
    inputs.b.push(at('b', 4));
    inputs.a.push(at('a', 4));
    await run(task);
    expect(seen).toEqual(['a0@4', 'b0@4']);
  });

  test('an empty input that lags, or of which nothing is known, is waited for', async () => {
    const { task, inputs } = await open();
    inputs.a.push(at('a', 5, 6));
    lags.b = -1;
    expect(await run(task)).toBe(0);
    lags.b = 3;
    expect(await run(task)).toBe(0);
    inputs.b.push(at('b', 5, 5, 5));
    lags.b = 0;
    expect(await run(task)).toBe(5);
    expect(seen[0]).toBe('a0@5');
  });

  test('an input that runs empty in the middle of a chunk is waited for as well', async () => {
    const { task, inputs } = await open();
    inputs.a.push(at('a', 5, 6));
    inputs.b.push(at('b', 1));
    lags.b = 7;
    expect(await run(task)).toBe(1);
    expect(seen).toEqual(['b0@1']);
  });

  test('nothing is waited for when idling is off', async () => {
    const { task, inputs } = await open({ options: { maxIdleMs: -1 } });
    lags.b = 3;
    inputs.a.push(at('a', 5));
    expect(await run(task)).toBe(1);
  });

  test('an idle time is waited after the lag is gone, then the rest is processed', async () => {
    const { task, inputs } = await open({ options: { maxIdleMs: 100 } });
    inputs.a.push(at('a', 5));
    expect(await run(task)).toBe(0);
    clock.advance(99);
    expect(await run(task)).toBe(0);
    clock.advance(1);
    expect(await run(task)).toBe(1);
  });

  test('a record that comes ends the idle time, and the next one begins anew', async () => {
    const { task, inputs } = await open({ options: { maxIdleMs: 100 } });
    inputs.a.push(at('a', 5, 7));
    expect(await run(task)).toBe(0);
    clock.advance(60);
    inputs.b.push(at('b', 6));
    expect(await run(task)).toBe(2);
    clock.advance(60);
    expect(await run(task)).toBe(0);
    clock.advance(40);
    expect(await run(task)).toBe(1);
    expect(seen).toEqual(['a0@5', 'b0@6', 'a1@7']);
  });
});

describe('offsets to commit', () => {
  test('lie at the head, or after markers and gaps when nothing is queued', async () => {
    const { task, inputs } = await open({ topics: ['a'] });
    const input = inputs.a;
    input.push(
      textBatch(
        'a',
        0,
        [
          { offset: 4, timestamp: 1, value: 'x' },
          { offset: 9, timestamp: 2, value: 'y' },
        ],
        15,
      ),
    );
    expect(input.position).toBe(4);
    await run(task, 1);
    expect(input.position).toBe(9);
    await run(task);
    expect(input.position).toBe(15);
    input.skipTo(17);
    expect(input.position).toBe(17);
  });

  test('a run of corrupt records moves on and says so', async () => {
    const { task, inputs } = await open({
      topics: ['a'],
      options: { handlers: { deserialization: continueOnError } },
    });
    inputs.a.push(
      textBatch(
        'a',
        0,
        [1, 2, 3].map((offset) => ({ offset, timestamp: offset, value: 'corrupt' })),
      ),
    );
    expect(await run(task)).toBe(3);
    expect(inputs.a.position).toBe(4);
    expect(task.commitNeeded).toBe(true);
    expect(skipped.map(({ offset, reason }) => [offset, reason])).toEqual(
      [1, 2, 3].map((offset) => [offset, 'deserialization']),
    );
    expect(task.streamTime).toBe(-1);
  });

  test('corrupt bytes stop the task unless it was told to go on', async () => {
    const { task, inputs } = await open({ topics: ['a'] });
    inputs.a.push(textBatch('a', 0, [{ offset: 7, timestamp: 0, value: 'corrupt' }]));
    await expect(run(task)).rejects.toThrow(
      'read of task 0_0 failed on the record at a-0, offset 7: corrupt bytes',
    );
    expect(inputs.a.position).toBe(7);
  });
});

describe('timestamps', () => {
  const negative = (): ReturnType<typeof textBatch> =>
    textBatch('a', 0, [
      { offset: 0, timestamp: 40, value: 'x' },
      { offset: 1, timestamp: -1, value: 'y' },
      { offset: 2, timestamp: 30, value: 'z' },
    ]);

  test('a negative one stops the application unless another extractor is chosen', async () => {
    const { task, inputs } = await open({
      topics: ['a'],
      options: { handlers: { deserialization: continueOnError } },
    });
    inputs.a.push(negative());
    await expect(run(task)).rejects.toThrow('offset 1: its timestamp is -1');
    expect(seen).toEqual(['x@40']);
  });

  test('a negative one is dropped, counted and logged', async () => {
    const { task, inputs } = await open({ topics: ['a'], extractor: skipOnInvalidTimestamp });
    inputs.a.push(negative());
    await run(task);
    expect(seen).toEqual(['x@40', 'z@30']);
    expect(skipped).toMatchObject([{ reason: 'timestamp', offset: 1 }]);
  });

  test('a negative one is replaced by the time of the partition', async () => {
    const { task, inputs } = await open({ topics: ['a'], extractor: partitionTimeOnInvalidTimestamp });
    inputs.a.push(negative());
    await run(task);
    expect(seen).toEqual(['x@40', 'y@40', 'z@30']);
  });

  test('the time of the partition is committed and there again after a restart', async () => {
    const first = await open({ topics: ['a'], extractor: partitionTimeOnInvalidTimestamp });
    first.inputs.a.push(negative());
    await run(first.task);
    const restored = first.task.persistedNumbers();
    const second = await open({ topics: ['a'], extractor: partitionTimeOnInvalidTimestamp, restored });
    second.inputs.a.push(textBatch('a', 0, [{ offset: 3, timestamp: -1, value: 'later' }]));
    await run(second.task);
    expect(seen.at(-1)).toBe('later@40');
    expect(second.task.persistedNumbers()).toEqual(restored);
  });

  test('wall-clock time is that of the moment the record is reached', async () => {
    const { task, inputs } = await open({ topics: ['a'], extractor: wallClockTimestamp });
    inputs.a.push(at('a', 1, 2));
    clock.advance(500);
    await run(task, 1);
    clock.advance(500);
    await run(task);
    expect(seen).toEqual(['a0@500', 'a1@1000']);
  });

  const fromValue: TimestampExtractor = (value) =>
    Number(typeof value === 'string' ? value : (value as { value: string }).value);

  test('an extractor of its own decides the order between inputs, and the value is decoded once', async () => {
    const { task, inputs } = await open({ extractor: fromValue });
    inputs.a.push(
      textBatch(
        'a',
        0,
        ['30', '10'].map((value, offset) => ({ offset, timestamp: 0, value })),
      ),
    );
    inputs.b.push(
      textBatch(
        'b',
        0,
        ['20', '40'].map((value, offset) => ({ offset, timestamp: 99, value })),
      ),
    );
    await run(task);
    expect(seen).toEqual(['20@20', '30@30', '10@10', '40@40']);
    expect(decoded.toSorted()).toEqual(['10', '20', '30', '40']);
  });

  test('values in a shared scratch row are never mixed up', async () => {
    const { task, inputs } = await open({ extractor: fromValue, value: borrowedText() });
    inputs.a.push(
      textBatch(
        'a',
        0,
        ['30', '10', '50'].map((value, offset) => ({ offset, timestamp: 0, value })),
      ),
    );
    inputs.b.push(
      textBatch(
        'b',
        0,
        ['20', '40', '60'].map((value, offset) => ({ offset, timestamp: 0, value })),
      ),
    );
    await run(task);
    expect(seen).toEqual(['20@20', '30@30', '10@10', '40@40', '50@50', '60@60']);
  });

  test('nor are those of two tasks that read with the same serde and look ahead', async () => {
    const setting: Setting = { topics: ['a'], extractor: fromValue, value: borrowedText() };
    const first = await open(setting);
    const second = await open(setting);
    const values = (...all: string[]): ReturnType<typeof textBatch> =>
      textBatch(
        'a',
        0,
        all.map((value, offset) => ({ offset, timestamp: 0, value })),
      );
    first.inputs.a.push(values('10', '30'));
    second.inputs.a.push(values('20', '40'));
    const chunk = new Chunk(10, Infinity);
    expect([first, second].map(({ task }) => task.earliest(() => Infinity))).toEqual([10, 20]);
    expect(first.task.turn.run(chunk, 20)).toBe(true);
    expect(chunk.nextMs).toBe(30);
    expect(second.task.turn.run(chunk, 30)).toBe(true);
    expect(chunk.nextMs).toBe(40);
    await first.task.turn.processOne(first.inputs.a);
    await second.task.turn.processOne(second.inputs.a);
    expect(seen).toEqual(['10@10', '20@20', '30@30', '40@40']);
    expect(chunk.done).toBe(2);
  });

  test('a single input decodes a borrowed value once too', async () => {
    const { task, inputs } = await open({ topics: ['a'], extractor: fromValue, value: borrowedText() });
    inputs.a.push(
      textBatch(
        'a',
        0,
        ['30', '10'].map((value, offset) => ({ offset, timestamp: 0, value })),
      ),
    );
    await run(task);
    expect(decoded).toEqual(['30', '10']);
  });

  test('an extractor that throws asks the handler of deserialization', async () => {
    const extractor: TimestampExtractor = () => {
      throw new DataError('no time in there');
    };
    const strict = await open({ extractor });
    strict.inputs.a.push(at('a', 1));
    await expect(run(strict.task)).rejects.toThrow('no time in there');
    const lenient = await open({ extractor, options: { handlers: { deserialization: continueOnError } } });
    lenient.inputs.a.push(at('a', 1));
    expect(await run(lenient.task)).toBe(1);
    expect(skipped).toMatchObject([{ reason: 'timestamp', detail: 'no time in there' }]);
  });
});
