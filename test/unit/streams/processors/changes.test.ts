import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Changes, openChanges } from '../../../../src/streams/processors/changes.ts';
import type { Processor } from '../../../../src/streams/topology/processor.ts';
import { openProcessor, type OpenedProcessor } from '../../../harness/open-processor.ts';

function coalescing(): Processor {
  let changes: Changes;
  return {
    init: (context) => void (changes = openChanges(context, { sendOldValues: true, coalesce: true })),
    process: (key, value, old, timestamp) => changes.add(key, value, old, timestamp),
    flush: () => changes.flush(),
  };
}

const shown = (opened: OpenedProcessor): unknown[] =>
  opened.taken().map(({ key, window, value, old, timestamp }) => [key, window, value, old, timestamp]);

const change = fc.record({
  key: fc.constantFrom('', 'a', 'ab', 'b'),
  window: fc.constantFrom([0, 10], [0, 20], [10, 20]),
  value: fc.option(fc.nat(9), { freq: 3 }),
  flush: fc.boolean(),
});

test('one change a key, window and flush: from before the first to after the last, in the order of the last', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 60 }), async (changes) => {
      const opened = await openProcessor(coalescing);
      const rows = new Map<string, unknown>();
      let expected = new Map<string, unknown[]>();
      for (const [time, { key, window, value, flush }] of changes.entries()) {
        const name = `${key} ${window.join()}`;
        const old = rows.get(name) ?? null;
        const before = expected.get(name);
        expected.delete(name);
        expected.set(name, [key, window, value, before === undefined ? old : before[3], time]);
        rows.set(name, value);
        opened.process(key, value, old, time, window as [number, number]);
        expect(opened.taken()).toEqual([]);
        if (!flush) continue;
        opened.processor.flush!();
        expect(shown(opened)).toEqual(
          [...expected.values()].filter(([, , value, old]) => value !== null || old !== null),
        );
        expected = new Map();
      }
      opened.processor.flush!();
      expect(shown(opened)).toEqual(
        [...expected.values()].filter(([, , value, old]) => value !== null || old !== null),
      );
      opened.processor.flush!();
      expect(opened.taken()).toEqual([]);
    }),
  );
});

test('a flush that fails below is flushed again as a whole', async () => {
  const opened = await openProcessor(coalescing);
  for (const key of ['a', 'b', 'c']) opened.process(key, 1, null, 1);
  const failure = new Error('not loaded yet');
  let left = 1;
  opened.onForward = () => {
    if (left-- === 0) throw failure;
  };
  expect(() => opened.processor.flush!()).toThrow(failure);
  opened.taken();
  opened.processor.flush!();
  expect(opened.taken().map(({ key }) => key)).toEqual(['a', 'b', 'c']);
});

test('so many changes ask for a commit', async () => {
  const opened = await openProcessor(coalescing);
  for (let i = 0; i < 200_000; i++) opened.process(`${i}`, 1, null, 1);
  expect(opened.commitsRequested).toBe(0);
  opened.process('another', 1, null, 1);
  expect(opened.commitsRequested).toBe(1);
});
