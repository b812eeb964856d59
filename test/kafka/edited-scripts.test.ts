import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { readAll } from '../harness/log-records.ts';
import { Millrace, millrace } from '../harness/millrace.ts';

/**
 * Scripts over Kafka that are edited between runs. They take seconds: a process for each run, as people start them.
 */

const directory = mkdtempSync(join(tmpdir(), 'millrace-edited-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describeKafka('a script on Kafka', (address) => {
  /** How many records there are: what stands between them at the ends of transactions does not count. */
  async function written(topic: string): Promise<number> {
    const log = await openKafkaLog({
      brokers: [address],
      clientId: 'written',
      clock: systemClock,
      logger: silentLogger,
    });
    const records = await readAll(log, topic);
    await log.close();
    return records.length;
  }

  interface Statements {
    readonly source: string;
    readonly counts: string;
    readonly insert: string;
    readonly read: string;
  }

  function statementsFor(name: string): Statements {
    return {
      source: `CREATE STREAM S (ID INT KEY, METHOD STRING) WITH (KAFKA_TOPIC='${name}', VALUE_FORMAT='JSON', PARTITIONS=1);\n`,
      counts: `CREATE TABLE BYM WITH (KAFKA_TOPIC='${name}-bym') AS SELECT METHOD, COUNT(*) AS N FROM S GROUP BY METHOD;\n`,
      insert: "INSERT INTO S VALUES (7, 'GET');\n".repeat(2),
      read: 'SELECT N FROM BYM;\n',
    };
  }

  test('goes on when it means the same, and says so when it does not', async () => {
    const name = uniqueName('edited');
    const { source, counts, insert, read } = statementsFor(name);
    const file = join(directory, 'run.sql');
    const run = async (sql: string, ...more: readonly string[]) => {
      writeFileSync(file, sql);
      return millrace([
        'run',
        file,
        '--kafka',
        address,
        '--service-id',
        `${name}_`,
        '--output',
        'csv',
        ...more,
      ]);
    };
    expect(await run(source + counts + insert + read)).toMatchObject({ code: 0, stdout: 'N\n2\n' });
    // Another rule set, another layout, a statement above.
    const above = `CREATE STREAM COPY WITH (KAFKA_TOPIC='${name}-copy') AS SELECT * FROM S;\n`;
    const again = `${source}${above}-- as before\n${counts.replace('COUNT(*)', 'count( * )')}${insert}${read}`;
    expect(await run(again, '--set', 'ksql.optimizer.enabled=false')).toMatchObject({
      code: 0,
      stdout: 'N\n4\n',
    });
    expect(await written(`${name}-bym`)).toBe(4);
    expect(await written(`${name}-copy`)).toBe(4);

    const edited = source + counts.replace('COUNT(*)', 'SUM(ID)') + insert + read;
    const refused = await run(edited);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('run.sql');
    expect(refused.stderr).toContain('line 2');
    expect(refused.stderr).toContain('BYM has been made by another query');
    expect(refused.stderr).toContain('start with --fresh to begin anew');
    expect(await written(name)).toBe(4);
    expect(await run(edited, '--fresh')).toMatchObject({ code: 0, stdout: 'N\n42\n' });

    const gone = await run(source);
    expect(gone.code).toBe(0);
    expect(gone.stderr).toContain('the script no longer has these queries');
  }, 120_000);

  test('of a server is known by its queries too', async () => {
    const name = uniqueName('headless');
    const { source, counts, insert } = statementsFor(name);
    const file = join(directory, 'server.sql');
    const start = (sql: string, ...more: readonly string[]): Millrace => {
      writeFileSync(file, sql);
      return new Millrace([
        'server',
        '--port',
        '0',
        '--kafka',
        address,
        '--service-id',
        `${name}_`,
        '--queries-file',
        file,
        ...more,
      ]);
    };
    const count = async (server: Millrace): Promise<unknown> => {
      await server.until(() => server.stdout.includes('http'), 'it listens');
      const url = /http:\/\/\S+/.exec(server.stdout)![0];
      const response = await fetch(`${url}/query-stream`, {
        method: 'POST',
        body: JSON.stringify({ sql: 'SELECT N FROM BYM;' }),
      });
      return (await response.text()).trim().split('\n').at(-1);
    };
    for (const [sql, rows] of [
      [source + counts + insert, '[2]'],
      [`${source}CREATE STREAM C WITH (KAFKA_TOPIC='${name}-c') AS SELECT * FROM S;\n${counts}`, '[2]'],
      [source + counts.replace('CREATE', 'CREATE OR REPLACE').replace('GROUP', 'WHERE ID = 1 GROUP'), '[2]'],
    ] as const) {
      const server = start(sql);
      try {
        await expect.poll(() => count(server), { timeout: 20_000 }).toContain(rows);
      } finally {
        await server.kill('SIGTERM');
      }
    }
    const server = start(source + counts);
    await server.finished;
    expect(server.stderr).toContain('write CREATE OR REPLACE TABLE to go on with the state that is there');
    expect(await written(`${name}-bym`)).toBe(2);
  }, 120_000);
});
