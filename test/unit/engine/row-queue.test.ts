import { expect, test } from 'vitest';
import { RowBudget, rowBytes } from '../../../src/engine/row-budget.ts';
import { RowQueue } from '../../../src/engine/row-queue.ts';
import { Decimal } from '../../../src/types/decimal.ts';

/** `rowsMax` rows of one number fill it. */
function queue(rowsMax = 3, budget = new RowBudget(rowsMax * rowBytes([1]))) {
  const calls: string[] = [];
  const rows = new RowQueue(
    budget,
    () => calls.push('pause'),
    () => calls.push('resume'),
  );
  return { rows, calls };
}

test('hands over everything that waits in one batch, in order', async () => {
  const { rows } = queue();
  rows.push([1], false);
  rows.push([2], false);
  expect(await rows.next()).toEqual({ rows: [[1], [2]] });
});

test('says which rows are removals only when one is', async () => {
  const { rows } = queue();
  rows.push([1], false);
  rows.push([2], true);
  expect(await rows.next()).toEqual({ rows: [[1], [2]], tombstones: [false, true] });
  rows.push([3], false);
  expect(await rows.next()).toEqual({ rows: [[3]] });
});

test('whoever waits gets the row that comes', async () => {
  const { rows } = queue();
  const waiting = rows.next();
  rows.push([1], false);
  expect(await waiting).toEqual({ rows: [[1]] });
});

test('tells the query to pause once when full and to go on once when emptied, and keeps what came in between', async () => {
  const { rows, calls } = queue(2);
  rows.push([1], false);
  expect(calls).toEqual([]);
  for (const i of [2, 3, 4]) rows.push([i], false);
  expect(calls).toEqual(['pause']);
  expect((await rows.next())!.rows).toHaveLength(4);
  // They are the client's, and in memory, until it asks for more.
  rows.push([5], false);
  expect(calls).toEqual(['pause']);
  await rows.next();
  expect(calls).toEqual(['pause', 'resume']);
});

const LARGE = ['x'.repeat(50_000)];

test('large rows fill it sooner, and are handed over a few at a time', async () => {
  const { rows, calls } = queue(1, new RowBudget(1_000_000));
  let pushed = 0;
  while (calls.length === 0) {
    rows.push(LARGE, false);
    pushed++;
  }
  expect(pushed).toBe(Math.ceil(1_000_000 / rowBytes(LARGE)));
  let taken = 0;
  for (let i = 0; i < pushed; i++) {
    const batch = await rows.next();
    expect(batch!.rows.length).toBeLessThanOrEqual(2);
    taken += batch!.rows.length;
    // It goes on while half of it is left, not when all is gone.
    if (calls.length === 2) break;
  }
  expect(calls).toEqual(['pause', 'resume']);
  expect(taken).toBeGreaterThanOrEqual(pushed / 2);
  expect(taken).toBeLessThan(pushed);
});

test('all together have a bound of their own, and each a little room when it is reached', async () => {
  const budget = new RowBudget(1_000_000, 2_000_000);
  const queues = Array.from({ length: 20 }, () => queue(1, budget));
  for (const { rows, calls } of queues) while (calls.length === 0) rows.push(LARGE, false);
  expect(budget.usedBytes).toBeLessThan(2_000_000 + 20 * 200_000);
  // Whoever reads is served however many do not.
  const { rows, calls } = queues.at(-1)!;
  for (let i = 0; i < 100; i++) {
    const batch = rows.next();
    if (calls.at(-1) === 'resume') rows.push(LARGE, false);
    expect((await batch)!.rows).toHaveLength(1);
  }
  expect(calls.length).toBeGreaterThan(50);
});

test('what nobody pulls any more counts no more', async () => {
  const budget = new RowBudget();
  const { rows } = queue(1, budget);
  for (let i = 0; i < 10; i++) rows.push(LARGE, false);
  await rows.next();
  rows.end();
  rows.clear();
  expect(budget.usedBytes).toBe(0);
  expect(await rows.next()).toBe(null);
  expect(budget.usedBytes).toBe(0);
});

test.each([
  ['nothing', [null, true, 1, 2n], 16],
  ['text', ['x'.repeat(1000)], 1000],
  ['bytes', [new Uint8Array(1000)], 1000],
  ['arrays in arrays', [[['x'.repeat(1000)], 'y'.repeat(1000)]], 2000],
  ['maps', [new Map([['x'.repeat(1000), 'y'.repeat(1000)]])], 2000],
  ['decimals', [Decimal.parse('1.5')], 16],
])('a row of %s is not estimated below what it holds', (_what, row, bytes) => {
  expect(rowBytes(row)).toBeGreaterThan(bytes);
});

test('what was queued before the end is still handed over, then null for ever; later rows are dropped', async () => {
  const { rows } = queue();
  rows.push([1], false);
  rows.end();
  rows.push([2], false);
  expect(await rows.next()).toEqual({ rows: [[1]] });
  expect([await rows.next(), await rows.next()]).toEqual([null, null]);
});

test('an error comes after the rows before it, and wakes whoever waits', async () => {
  const { rows } = queue();
  rows.push([1], false);
  rows.end(new Error('broke'));
  rows.end();
  expect(await rows.next()).toEqual({ rows: [[1]] });
  await expect(rows.next()).rejects.toThrow('broke');
  const other = queue().rows;
  const waiting = other.next();
  other.end(new Error('broke'));
  await expect(waiting).rejects.toThrow('broke');
});
