import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { readRecords } from '../../src/engine/read-records.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { execute } from '../harness/open-engine.ts';
import { runScript } from '../harness/run-script.ts';
import { openService, pack, rowsOf } from './service.ts';

/**
 * Keeps what a release has written, from the statements in its folder: `node scripts/run-ts.js test/compat/generate.ts
 * test/compat/0.1.0 HOST:PORT`, over an empty Kafka. Done once for each release, when it is made; never again for one that is there.
 */
const [folder, broker] = process.argv.slice(2);
if (folder === undefined || broker === undefined) throw new Error('usage: generate.ts FOLDER HOST:PORT');
const at = (file: string): string => join(folder, file);
if (existsSync(at('directory.json.gz')))
  throw new Error(`${folder} is what a release has written: it is not made again`);
const sql = (file: string): string => readFileSync(at(file), 'utf8');
const { version } = packageJson;
const SCRIPT = { serviceId: 'script_', commandLog: false, keepQueries: true };

/** All in one go, from the beginning to the end. */
async function expected(): Promise<unknown> {
  const engine = await openService(null, systemClock, { version });
  await execute(engine, sql('statements.sql') + sql('before.sql'));
  await engine.drain();
  await execute(engine, sql('later.sql') + sql('after.sql'));
  const service = await rowsOf(engine, sql('reads.sql'));
  await engine.close();
  const other = await openService(null, systemClock, { ...SCRIPT, keepQueries: false, version });
  const topics = sql('statements.sql').replace(/CREATE SOURCE TABLE[^]*/, '');
  await execute(other, topics + sql('before.sql') + sql('after.sql'));
  for (const name of ['CLICKS', 'USERS'])
    await execute(other, `DROP ${name === 'USERS' ? 'TABLE' : 'STREAM'} ${name};`);
  await runScript(other, sql('script.sql'));
  const script = await rowsOf(other, sql('script-reads.sql'));
  await other.close();
  return { service, script };
}

async function directory(): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'millrace-compat-'));
  let engine = await openService(path, systemClock, { version });
  await execute(engine, sql('statements.sql') + sql('before.sql'));
  await engine.drain();
  await execute(engine, sql('later.sql'));
  await engine.drain();
  await engine.close();
  engine = await openService(path, systemClock, { ...SCRIPT, version });
  await runScript(engine, sql('script.sql'));
  await engine.close();
  writeFileSync(at('directory.json.gz'), pack(path));
  rmSync(path, { recursive: true });
}

/** As Kafka has it, a record a line: the keys of a snapshot, and commands as text. */
async function commandTopic(address: string): Promise<void> {
  const log = await openKafkaLog({
    brokers: [address],
    clientId: 'compat',
    clock: systemClock,
    logger: silentLogger,
  });
  const engine = await openService(null, systemClock, { version, deadCommandsMax: 5 }, [], log);
  await execute(engine, sql('statements.sql') + sql('later.sql'));
  for (let i = 0; i < 40; i++) await execute(engine, 'CREATE TYPE T AS INT; DROP TYPE T;');
  await execute(engine, 'CREATE TYPE T AS BIGINT;');
  const lines: string[] = [];
  await readRecords(log, '_millrace_compat__command_topic', (offset, key, value) =>
    lines.push(JSON.stringify({ offset, key: key?.toString() ?? null, value: value?.toString() ?? null })),
  );
  writeFileSync(at('command-topic.jsonl'), `${lines.join('\n')}\n`);
  await engine.close();
}

writeFileSync(at('expected.json'), `${JSON.stringify(await expected(), null, 1)}\n`);
await commandTopic(broker);
await directory();
writeFileSync(at('written.json'), `${JSON.stringify({ version, at: systemClock.now() })}\n`);
