import { openStateBackend } from '../../src/state/task-state.ts';
import { openCrashStores } from './open-crash-stores.ts';

/**
 * A process that persists in a loop until it is killed: at step n, every key's value and the meta are n. Prints each
 * meta once it is persisted.
 */
const directory = process.argv[2]!;
const state = await openStateBackend().openTaskState(directory);
const { kv, windows } = openCrashStores(state);
const key = Buffer.alloc(4);
for (let step = Number(state.meta ?? 0) + 1; ; step++) {
  for (let i = 0; i < 400; i++) {
    key.writeInt32BE(i);
    kv.put(key, 0, 4, (i + step) % 7 === 0 ? null : `${step}`, step);
    windows.put(key, 0, 4, step * 1000, `${step}`, step);
  }
  state.drainChangelog(kv, () => {});
  state.drainChangelog(windows, () => {});
  const written = state.persist(`${step}`);
  // Processing goes on while the batch is written: this must not be in it.
  key.writeInt32BE(399);
  kv.put(key, 0, 4, 'not drained', 0);
  await written;
  process.stdout.write(`${step}\n`);
}
