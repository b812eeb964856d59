import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleTs } from '../../../scripts/bundle-ts.js';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { openCrashStores } from '../../harness/open-crash-stores.ts';

/** Runs the bundle until it has persisted `count` times, then kills it without warning. Returns the last meta seen. */
function runAndKill(bundle: string, directory: string, count: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bundle, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let lines = '';
    let seen = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      lines += chunk.toString();
      seen = lines.split('\n').length - 1;
      if (seen >= count) child.kill('SIGKILL');
    });
    child.on('exit', (code) => {
      if (code !== null) reject(new Error(`the process ended by itself with code ${code}`));
      else resolve(Number(lines.split('\n').at(-2)));
    });
  });
}

test('after each kill, rows and meta on disk are of one and the same persist', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
  const code = mkdtempSync(join(tmpdir(), 'millrace-crash-code-'));
  try {
    const bundle = await bundleTs('test/harness/persist-forever.ts', code);
    for (let round = 1; round <= 6; round++) {
      const reported = await runAndKill(bundle, directory, 3 + round * 4);
      const state = await openStateBackend({ residentBytes: round % 2 === 0 ? 0 : 1 << 30 }).openTaskState(
        directory,
      );
      const { kv, windows } = openCrashStores(state);
      const step = Number(state.meta);
      expect(step).toBeGreaterThanOrEqual(reported);
      const key = Buffer.alloc(4);
      for (let i = 0; i < 400; i++) {
        key.writeInt32BE(i);
        state.want(kv, key, 0, 4, 0, 0);
        state.want(windows, key, 0, 4, 0, step * 1000 + 5000);
      }
      await state.load();
      for (let i = 0; i < 400; i++) {
        key.writeInt32BE(i);
        const slot = kv.find(key, 0, 4);
        const expected = (i + step) % 7 === 0 ? null : `${step}`;
        expect(slot < 0 ? null : kv.valueAt(slot), `key ${i} of step ${step}`).toBe(expected);
        const times: number[] = [];
        windows.fetch(key, 0, 4, 0, step * 1000 + 5000, false, (time, value) => {
          expect(value).toBe(`${time / 1000}`);
          times.push(time / 1000);
        });
        const first = Math.max(1, step - 100);
        expect(times).toEqual(Array.from({ length: step - first + 1 }, (_, n) => first + n));
      }
      await state.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
    rmSync(code, { recursive: true, force: true });
  }
});
