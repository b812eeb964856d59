import { expect, test } from 'vitest';
import { ManualClock, nextTurn, Turns } from '../../../src/common/clock.ts';

/** Sharing the event loop: however many work, sockets and timers come to their turn. */

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('many who work at once share a turn as far as it goes, each as often as the others', async () => {
  const WORKERS = 100;
  const counts = Array.from({ length: WORKERS }, () => 0);
  let working = true;
  const workers = counts.map(async (_, i) => {
    while (working) {
      await nextTurn();
      spin(1);
      counts[i]!++;
    }
  });
  const total = (): number => counts.reduce((sum, count) => sum + count, 0);
  const perTurn: number[] = [];
  for (let turn = 0; turn < 60; turn++) {
    const before = total();
    await new Promise((resolve) => setImmediate(resolve));
    perTurn.push(total() - before);
  }
  working = false;
  // Ten milliseconds of work of one each, and no more than twice that between two turns of a socket.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(20);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  await Promise.all(workers);
});

test('who waits is called in order, in a later turn, and who calls again waits for the one after', async () => {
  const order: string[] = [];
  const one = async (name: string): Promise<void> => {
    await nextTurn();
    order.push(name);
    await nextTurn();
    order.push(`${name} again`);
  };
  const all = [one('a'), one('b'), one('c')];
  expect(order).toEqual([]);
  await Promise.all(all);
  expect(order).toEqual(['a', 'b', 'c', 'a again', 'b again', 'c again']);
});

test('one that throws keeps nobody from their turn', async () => {
  const failing = nextTurn().then(() => {
    throw new Error('broke');
  });
  const other = nextTurn();
  await expect(failing).rejects.toThrow('broke');
  await other;
  await nextTurn();
});

test('a slice is over when its time is', async () => {
  const clock = new ManualClock();
  const turns = new Turns(clock, 10);
  expect(turns.over).toBe(false);
  clock.advance(10);
  expect(turns.over).toBe(true);
  await turns.next();
  expect(turns.over).toBe(false);
});
