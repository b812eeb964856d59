import { expect, test } from 'vitest';
import { RowQueue } from '../../../src/engine/row-queue.ts';

function queue(rowsMax = 3) {
  const calls: string[] = [];
  const rows = new RowQueue(
    rowsMax,
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
  expect(calls).toEqual(['pause', 'resume']);
  rows.push([5], false);
  await rows.next();
  expect(calls).toEqual(['pause', 'resume']);
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
