import { describe, expect, onTestFinished, test } from 'vitest';
import type { KStream } from '../../../../src/streams/dsl/kstream.ts';
import type { KTable } from '../../../../src/streams/dsl/ktable.ts';
import { CustomWindows } from '../../../../src/streams/dsl/custom-windows.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { TopologyError } from '../../../../src/streams/topology/topology-error.ts';

type Texts = KStream<string, string>;
/** A function as a program without types may hand it in. */
// oxlint-disable-next-line no-explicit-any
type Any = any;

const builderOfTexts = (): StreamsBuilder =>
  new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });

const table = (stream: Texts): KTable<string, string> => stream.toTable();

const OPERATIONS: [name: string, apply: (stream: Texts, fn: Any) => unknown][] = [
  ['filter', (s, fn) => s.filter(fn)],
  ['filterNot', (s, fn) => s.filterNot(fn)],
  ['map', (s, fn) => s.map(fn)],
  ['mapValues', (s, fn) => s.mapValues(fn)],
  ['flatMap', (s, fn) => s.flatMap(fn)],
  ['flatMapValues', (s, fn) => s.flatMapValues(fn)],
  ['foreach', (s, fn) => s.foreach(fn)],
  ['peek', (s, fn) => s.peek(fn).to('out')],
  ['branch', (s, fn) => s.split().branch(fn)],
  ['join with a table', (s, fn) => s.join(table(s), fn)],
  ['aggregate', (s, fn) => s.groupByKey().aggregate(() => '', fn)],
  ['an initializer', (s, fn) => s.groupByKey().aggregate(fn, () => '')],
  [
    'windowed aggregate',
    (s, fn) =>
      s
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeWithNoGrace(5))
        .aggregate(() => '', fn),
  ],
  ['table filter', (s, fn) => table(s).filter(fn)],
  ['table mapValues', (s, fn) => table(s).mapValues(fn).toStream().to('out')],
  ['table groupBy', (s, fn) => table(s).groupBy(fn).count()],
];
const ALSO_PLAIN: [name: string, apply: (stream: Texts, fn: Any) => unknown][] = [
  ['print', (s, fn) => s.print({ write: fn })],
  ['the topic', (s, fn) => s.to(fn)],
  [
    'windowsFor',
    (s, fn) =>
      s
        .groupByKey()
        .windowedBy(CustomWindows.of({ windowsFor: fn, sizeMs: 5 }))
        .count(),
  ],
];
const KEYS: [name: string, apply: (stream: Texts, fn: Any) => unknown][] = [
  ['selectKey', (s, fn) => s.selectKey(fn).to('out')],
  ['groupBy', (s, fn) => s.groupBy(fn).count()],
];

describe('an async function is refused when the topology is built', () => {
  test.each([...OPERATIONS, ...KEYS, ...ALSO_PLAIN])('%s', (_, apply) => {
    const failure = (fn: Any): unknown => {
      try {
        apply(builderOfTexts().stream<string, string>('in'), fn);
        return null;
      } catch (error) {
        return error;
      }
    };
    const error = failure(async () => true);
    expect(error).toBeInstanceOf(TopologyError);
    expect(error).toHaveProperty('message', expect.stringMatching(/is async$/));
    expect(error).toHaveProperty('hint', 'what has to wait belongs into mapValuesAsync or processAsync');
    expect(failure(undefined)).toHaveProperty(
      'message',
      expect.stringMatching(/takes a function, not undefined$/),
    );
  });
});

/** Rejects with what stops the application at the first record. */
async function run(apply: (stream: Texts) => unknown): Promise<void> {
  const builder = builderOfTexts();
  apply(builder.stream<string, string>('in'));
  const driver = await TopologyTestDriver.open(builder.build());
  onTestFinished(() => driver.close().catch(() => undefined));
  await driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', 'v', 1);
}

describe('a promise is no result', () => {
  test.each([...OPERATIONS, ...KEYS, ...ALSO_PLAIN])('%s', async (_, apply) => {
    await expect(run((stream) => apply(stream, () => Promise.reject(new Error('unheard'))))).rejects.toThrow(
      /gave a promise, which nobody waits for/,
    );
  });

  test('the text of a line', async () => {
    const late = (mapper: Any): Promise<void> => run((stream) => stream.print({ write() {}, mapper }));
    await expect(late(async () => 'text')).rejects.toThrow(/is async/);
    await expect(late(() => Promise.resolve('text'))).rejects.toThrow(/gave a promise/);
  });

  test('process', async () => {
    const late = { process: () => Promise.resolve() };
    await expect(run((stream) => stream.process(() => late))).rejects.toThrow(/the processor gave a promise/);
    const waiting = { process: async () => undefined } as Any;
    await expect(run((stream) => stream.process(() => waiting))).rejects.toThrow(/is async/);
  });
});

const VALUES = OPERATIONS.filter(
  ([name]) => !['filter', 'filterNot', 'foreach', 'peek', 'branch', 'table filter'].includes(name),
);

describe('what a supplier gives', () => {
  const WRONG: [name: string, made: () => Any, message: RegExp][] = [
    ['nothing', () => undefined, /supplier gave is undefined/],
    ['a promise', () => Promise.reject(new Error('unheard')), /supplier gave is a value of class Promise/],
    ['no method', () => ({}), /takes a function, not undefined/],
    [
      'an async init',
      () => ({ init: async () => undefined, process() {}, transform() {} }),
      /init.* is async/,
    ],
    [
      'an async close',
      () => ({ close: async () => undefined, process() {}, transform() {} }),
      /close.* is async/,
    ],
    [
      'an init that waits',
      () => ({ init: () => Promise.reject(new Error('unheard')), process() {}, transform() {} }),
      /init.* gave a promise/,
    ],
  ];
  test.each(WRONG)('a processor: %s', async (_, made, message) => {
    await expect(run((stream) => stream.process(made))).rejects.toThrow(message);
    await expect(run((stream) => stream.processValues(made))).rejects.toThrow(message);
  });
  test.each(WRONG)('a transformer: %s', async (_, made, message) => {
    const used = run((stream) => table(stream).transformValues(made, { name: 'rows' }));
    await expect(used).rejects.toThrow(message);
  });

  test('stores', () => {
    const supplier = Object.assign(() => ({ process() {} }), { stores: async () => [] }) as Any;
    expect(() => builderOfTexts().stream('in').process(supplier)).toThrow('the function of stores is async');
  });
});

test('a serde does not wait', async () => {
  for (const late of [
    { ...Serdes.string, serialize: async () => undefined },
    { ...Serdes.string, deserialize: async () => 'v' },
    { ...Serdes.string, deserialize: undefined },
  ] as Any[])
    await expect(run((stream) => stream.to('out', { valueSerde: late }))).rejects.toThrow(TopologyError);
});

test('what cannot be written is refused where it is put', async () => {
  const put = (value: Any, valueSerde: Any): Promise<void> =>
    run((stream) =>
      stream.process(
        () => {
          let rows: Any;
          return {
            init: (context: Any) => void (rows = context.getStateStore('rows')),
            process: ({ key }: Any) => rows.put(key, value),
          };
        },
        { stores: [{ name: 'rows', kind: 'key-value', valueSerde }] },
      ),
    );
  await expect(put(undefined, Serdes.string)).rejects.toThrow(
    'store rows is given undefined for a value: null deletes',
  );
  await expect(put(Promise.resolve(1), Serdes.json())).rejects.toThrow(
    'a value of class Promise cannot be written as JSON',
  );
});

test.each([
  ['a text', Serdes.bytes, '"abc" is not bytes'],
  ['a list', Serdes.bytes, 'a value of class Array is not bytes'],
  ['a list', Serdes.string, 'a value of class Array is not a text'],
  ['a number', Serdes.string, '5 is not a text'],
] as const)('%s is not written as something else', async (what, valueSerde: Any, message) => {
  const value = { 'a text': 'abc', 'a list': [], 'a number': 5 }[what];
  await expect(run((stream) => stream.mapValues(() => value).to('out', { valueSerde }))).rejects.toThrow(
    message,
  );
});

describe('undefined is no value', () => {
  test.each(VALUES)('%s', async (_, apply) => {
    await expect(run((stream) => apply(stream, () => undefined))).rejects.toThrow(
      /gave undefined: a return is missing, or null is meant/,
    );
  });

  test('of a call', async () => {
    await expect(
      run((stream) => stream.mapValuesAsync(() => Promise.resolve(undefined as unknown as string)).to('out')),
    ).rejects.toThrow(/gave undefined/);
  });
});

test('a supplier makes a new processor each time', async () => {
  const one = { process: () => undefined };
  const builder = builderOfTexts();
  builder.stream<string, string>('in').process(() => one);
  await expect(TopologyTestDriver.open(builder.build(), { topics: { in: 2 } })).rejects.toThrow(
    'a supplier gave the same processor twice',
  );
});

test('the types refuse functions that wait', () => {
  const stream = builderOfTexts().stream<string, string>('in');
  const refused = (build: () => unknown): void => expect(build).toThrow(TopologyError);
  // @ts-expect-error a promise is no condition
  refused(() => stream.filter(async () => true));
  // @ts-expect-error a promise is no value
  refused(() => stream.mapValues(async (value) => value));
  // @ts-expect-error a promise is no key
  refused(() => stream.selectKey(async (_key, value) => value));
  // @ts-expect-error nobody waits
  refused(() => stream.foreach(async () => undefined));
  // @ts-expect-error nobody waits
  refused(() => stream.peek(async () => undefined));
  const seen: string[] = [];
  stream.foreach((_key, value) => seen.push(value));
  stream.peek((_key, value) => void seen.push(value));
});
