import { expect, test } from 'vitest';
import { type RowStep, streamChain, tableChain } from '../../../../src/streams/processors/row-chain.ts';
import { transformTable } from '../../../../src/streams/processors/transform-table.ts';
import { openProcessor } from '../../../harness/open-processor.ts';

/** Keeps rows with an even number and tells of those that hold no number. */
const even: RowStep = {
  kind: 'filter',
  passesNull: false,
  holds([n], context) {
    if (typeof n !== 'number') context?.skip('evaluation', `${String(n)} is no number`);
    return typeof n === 'number' && n % 2 === 0;
  },
};
const halved: RowStep = {
  kind: 'project',
  blank: [null, null],
  write([n], target) {
    target[0] = 'half';
    target[1] = (n as number) / 2;
  },
};

const table = (sendOldValues: boolean): ReturnType<typeof transformTable> =>
  transformTable({ open: tableChain([even, halved]), store: null, sendOldValues, dropAbsent: true });

test('steps of a stream run in order, and a row that a filter drops ends there', async () => {
  const opened = await openProcessor(streamChain([even, halved]));
  opened.process('a', [4], undefined, 1);
  expect(opened.forwarded[0]).toMatchObject({ key: 'a', value: ['half', 2], timestamp: 1 });
  opened.taken();
  opened.process('a', [3], undefined, 2);
  opened.process('a', ['x'], undefined, 3);
  expect(opened.taken()).toEqual([]);
  expect(opened.skipped).toEqual(['evaluation: x is no number']);
});

test('what a stream’s chain forwards is lent: the next row is in the same array', async () => {
  const opened = await openProcessor(streamChain([halved]));
  opened.process('a', [4], undefined, 1);
  opened.process('a', [6], undefined, 2);
  const [first, second] = opened.taken();
  expect(first!.value).toBe(second!.value);
});

test.each([
  ['a project', [halved], 1],
  ['a filter', [halved, even], 0],
  ['a filter that says so', [{ ...even, passesNull: true }], 1],
] as const)('%s lets records without a value pass, or not', async (_name, steps, passed) => {
  const opened = await openProcessor(streamChain(steps));
  opened.process('a', null, undefined, 1);
  expect(opened.taken().map(({ value }) => value)).toEqual(Array(passed).fill(null));
});

test('steps of a table see the row before too, in arrays of their own, and tell its errors once', async () => {
  const opened = await openProcessor(table(true));
  opened.process('a', [4], null, 1);
  opened.process('a', [6], [4], 2);
  opened.process('a', [7], [6], 3);
  opened.process('a', [9], [7], 4);
  opened.process('a', null, ['x'], 5);
  opened.process('a', ['x'], [8], 6);
  const changes = opened.taken();
  expect(changes.map(({ value, old }) => [value, old])).toEqual([
    [['half', 2], null],
    [
      ['half', 3],
      ['half', 2],
    ],
    [null, ['half', 3]],
    [null, ['half', 4]],
  ]);
  expect(changes[1]!.value).not.toBe(changes[1]!.old);
  expect(opened.skipped).toEqual(['evaluation: x is no number']);
});

test('without old rows a row that is dropped is a removal', async () => {
  const opened = await openProcessor(table(false));
  opened.process('a', [3], undefined, 1);
  expect(opened.taken().map(({ value, old }) => [value, old])).toEqual([[null, undefined]]);
});
