import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { whyNoKafka } from '../../scripts/kafka.js';

const missing =
  process.env['MILLRACE_TEST_NO_KAFKA'] === undefined ? await whyNoKafka() : 'MILLRACE_TEST_NO_KAFKA is set';

/** Three minutes of `npm run chaos`, which take four to six with the start of three brokers. */
test.skipIf(missing !== undefined)(
  `kills of processes and brokers lose nothing and double nothing${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const chaos = spawn(process.execPath, ['scripts/chaos.js', '--minutes', '3', '--seed', '12'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [chaos.stdout, chaos.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    try {
      const code = await new Promise<number | null>((resolve) => chaos.once('close', resolve));
      expect(code, output).toBe(0);
      expect(output).toContain('seed 12 passed');
    } finally {
      chaos.kill('SIGTERM');
    }
  },
);
