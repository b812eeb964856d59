import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Millrace } from '../harness/millrace.ts';

/** Two processes that want one data directory. */

/** A process id of its own for each, as two containers have; the file system is the same. */
const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const noUnshare = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']).status !== 0;
if (noUnshare) console.log('skipped: unshare (util-linux) may not make process namespaces here');

let directory: string;
const started: Millrace[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-data-'));
});
afterEach(async () => {
  for (const each of started.splice(0)) await each.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function server(through: readonly string[] = []): Millrace {
  const args = ['server', '--port', '0', '--data-dir', directory];
  const started_ = new Millrace(args, { through });
  started.push(started_);
  return started_;
}

async function listening(running: Millrace): Promise<string> {
  await running.until(() => running.stdout.includes('\n'), 'it listens');
  return /http:\/\/\S+/.exec(running.stdout)![0];
}

async function ksql(url: string, text: string): Promise<void> {
  const response = await fetch(`${url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql: text }) });
  expect(response.status, await response.text()).toBe(200);
}

const CREATE = "CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);";

async function rows(url: string, count: number): Promise<number[]> {
  const response = await fetch(`${url}/query-stream`, {
    method: 'POST',
    body: JSON.stringify({ sql: `SELECT V FROM S EMIT CHANGES LIMIT ${count};` }),
  });
  const lines = (await response.text()).trimEnd().split('\n').slice(1);
  return lines.map((line) => (JSON.parse(line) as [number])[0]);
}

test.skipIf(noUnshare)('in two containers: the second is refused, and the first loses nothing', async () => {
  const first = server(UNSHARE);
  const url = await listening(first);
  await ksql(url, CREATE);
  for (let v = 0; v < 15; v++) await ksql(url, `INSERT INTO S VALUES (${v});`);
  const second = server(UNSHARE);
  await Promise.race([
    second.finished,
    second.until(() => second.stdout !== '', 'it listens').catch(() => {}),
  ]);
  expect(second.stdout).toBe('');
  expect(await second.finished).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toMatch(
    new RegExp(`the data directory ${directory}/log is in use by process \\d+: stop that process`),
  );
  for (let v = 15; v < 30; v++) await ksql(url, `INSERT INTO S VALUES (${v});`);
  await first.kill('SIGKILL');
  const third = await listening(server(UNSHARE));
  expect(await rows(third, 30)).toEqual(Array.from({ length: 30 }, (_, v) => v));
});

test('after a kill the next one starts at once; every command is refused meanwhile', async () => {
  let running = server();
  let url = await listening(running);
  await ksql(url, CREATE);
  await ksql(url, 'CREATE TABLE C AS SELECT V, COUNT(*) AS N FROM S GROUP BY V;');
  for (let round = 0; round < 3; round++) {
    await ksql(url, `INSERT INTO S VALUES (${round});`);
    const prompt = new Millrace(['--data-dir', directory, '--execute', 'SHOW STREAMS;']);
    started.push(prompt);
    expect((await prompt.finished).stderr).toContain(
      `the data directory ${directory}/log is in use by process`,
    );
    running.process.kill('SIGKILL');
    running = server();
    url = await listening(running);
  }
  expect(await rows(url, 3)).toEqual([0, 1, 2]);
});
