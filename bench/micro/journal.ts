import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/** Commits a second of the embedded log in a directory (the first argument; otherwise the system's for temporary files). */

const ROUNDS = 5;
const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'millrace-bench-'));
const value = Buffer.alloc(1000, 'x');
const nothing = Buffer.alloc(0);

async function commits(count: number, records: number): Promise<number> {
  const directory = mkdtempSync(join(root, 'log-'));
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger, directory });
  await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'retention.bytes': '100000000' } });
  const writer = await log.openWriter();
  const appender = writer.appender({ topic: 't', partition: 0 });
  const start = systemClock.monotonic();
  for (let i = 0; i < count; i++) {
    for (let r = 0; r < records; r++) appender.append(0, nothing, -1, -1, value, 0, value.length, null);
    await writer.flush();
  }
  const seconds = (systemClock.monotonic() - start) / 1000;
  await log.close();
  rmSync(directory, { recursive: true });
  return count / seconds;
}

try {
  for (const [count, records] of [
    [20_000, 1],
    [3_000, 200],
  ] as const) {
    let best = 0;
    for (let i = 0; i < ROUNDS; i++) best = Math.max(best, await commits(count, records));
    const rate = Math.round(best).toLocaleString('en');
    process.stdout.write(`${rate} commits/s of ${records} records of ${value.length} bytes\n`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
