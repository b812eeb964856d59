import type { FakeRows } from '../../harness/fake-engine.ts';

export const ROW_BYTES = 64 * 1024;
const TEXT = 'x'.repeat(ROW_BYTES);
/** Round trips of another client without any row being taken: the server does not ask for more. */
const QUIET_ROUNDS = 20;

/**
 * Pushes large rows until the server has stopped asking for them, which shows in that other clients are served and
 * nothing is taken meanwhile. Returns how many rows it took to get there.
 */
export async function stall(rows: FakeRows, roundTrip: () => Promise<void>): Promise<number> {
  let pushed = 0;
  for (let quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
    const { taken } = rows;
    while (!rows.paused) rows.push([TEXT, pushed++]);
    await roundTrip();
    if (rows.taken !== taken) quiet = 0;
  }
  return pushed;
}
