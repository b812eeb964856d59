import { Agent, request } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Millrace, millrace } from '../harness/millrace.ts';

/**
 * Fifty of each kind in one process say nothing on standard error: Node warns there of listeners that pile up, of
 * rejections that nobody handles, and of what is deprecated.
 */

const COUNT = 50;
const times = (text: (i: number) => string): string =>
  Array.from({ length: COUNT }, (_, i) => text(i)).join('\n');

const DECLARE = `
CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
${times((i) => `INSERT INTO S (K, V) VALUES ('a', ${i});`)}`;
const PULL = "SELECT * FROM T WHERE K = 'a';";
const PUSH = 'SELECT V FROM S EMIT CHANGES LIMIT 1;';
const EACH = `${times(() => PULL)}\n${times(() => PUSH)}\n${times((i) => `SET 'auto.offset.reset'='earliest'; CREATE STREAM S${i} AS SELECT * FROM S; DROP STREAM S${i};`)}`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-warnings-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a script', { timeout: 60_000 }, async () => {
  const file = join(directory, 'script.sql');
  writeFileSync(file, `${DECLARE}\n${EACH}`);
  const { code, stderr, stdout } = await millrace(['run', file, '--output', 'json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout.match(/"N":50/g)).toHaveLength(COUNT);
});

test('the prompt', { timeout: 60_000 }, async () => {
  const { code, stderr } = await millrace(['--output', 'json'], `${DECLARE}\n${EACH}`);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('-e', { timeout: 60_000 }, async () => {
  expect(await millrace(['-e', `${DECLARE}\n${EACH}`])).toMatchObject({ code: 0, stderr: '' });
});

test(
  'a server: a connection that is kept, push queries together, WebSockets together',
  { timeout: 60_000 },
  async () => {
    const server = new Millrace(['server', '--port', '0']);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const many = new Agent({ keepAlive: true });
    const sockets: WebSocket[] = [];
    try {
      await server.until(() => server.stdout.includes('\n'), 'it listens');
      const url = /http:\/\/\S+/.exec(server.stdout)![0];
      const post = (path: string, body: object, by: Agent): Promise<string> =>
        new Promise((resolve, reject) => {
          const outgoing = request(`${url}${path}`, { method: 'POST', agent: by }, (response) => {
            let text = '';
            response.on('data', (chunk: Buffer) => {
              text += chunk.toString();
            });
            response.on('end', () => resolve(text));
            response.on('error', reject);
          });
          outgoing.on('error', reject);
          outgoing.end(JSON.stringify(body));
        });
      await post('/ksql', { ksql: DECLARE }, agent);
      for (let i = 0; i < COUNT; i++)
        expect(await post('/query-stream', { sql: PUSH }, agent)).toContain('"columnNames":["V"]');
      for (let i = 0; i < COUNT; i++)
        expect(await post('/ksql', { ksql: 'SHOW STREAMS;' }, agent)).toContain('"S"');
      const pushed = await Promise.all(
        Array.from({ length: COUNT }, () => post('/query', { ksql: PUSH }, many)),
      );
      expect(pushed.filter((text) => text.includes('Limit Reached'))).toHaveLength(COUNT);
      const asked = encodeURIComponent(JSON.stringify({ ksql: PUSH }));
      const codes = await Promise.all(
        Array.from({ length: COUNT }, () => {
          const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/query?request=${asked}`);
          sockets.push(socket);
          return new Promise((resolve) => socket.on('close', resolve));
        }),
      );
      expect(new Set(codes)).toEqual(new Set([1000]));
      expect(await server.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    } finally {
      agent.destroy();
      many.destroy();
      for (const socket of sockets) socket.terminate();
      server.process.kill('SIGKILL');
    }
  },
);
