import { type AddressInfo, createServer, type Server } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Millrace, terminalMissing } from '../harness/millrace.ts';

/** A broker that takes connections and never says a word. */
let silent: Server;
let address: string;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'millrace-away-'));
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(() => {
  silent.close();
  rmSync(home, { recursive: true, force: true });
});

const TOLD = 'has not answered for a second';

test.each([
  ['a statement', ['-e', 'SHOW TOPICS;']],
  ['a server', ['server', '--port', '0']],
  ['the prompt on a pipe', []],
])('%s says that Kafka does not answer, and ends with SIGINT', async (_, args) => {
  const running = new Millrace([...args, '--kafka', address]);
  await running.until(() => running.stderr.includes(TOLD), TOLD);
  expect(running.stderr).toContain(`Kafka at ${address} ${TOLD} (connecting to Kafka at ${address})`);
  const { code } = await running.kill('SIGINT');
  expect(code).not.toBe(0);
});

const missing = terminalMissing();
describe.skipIf(missing !== null)('in a terminal', () => {
  test('the prompt says that Kafka does not answer, and Ctrl-C ends it', async () => {
    const running = new Millrace(['--kafka', address], {
      terminal: true,
      env: { HOME: home, TERM: 'xterm' },
    });
    const screen = (): string => stripVTControlCharacters(running.stdout);
    await running.until(() => screen().includes(TOLD), TOLD);
    running.write('\u0003');
    const { code } = await running.finished;
    expect(code).not.toBe(0);
    expect(screen()).not.toContain('millrace>');
  });
});
