import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { millrace } from '../harness/millrace.ts';

/** Statements that look at topics, and functions of users, in a script on Kafka. */

describeKafka('statements on Kafka', (address) => {
  test('assertions, functions and SOURCE tables, over several partitions and transactions', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-statements-'));
    const topic = uniqueName('orders');
    const script = join(directory, 'script.sql');
    try {
      writeFileSync(join(directory, 'declare.sql'), `DEFINE topic = '${topic}';`);
      writeFileSync(
        script,
        `RUN SCRIPT 'declare.sql';
         CREATE FUNCTION twice(n INT) RETURNS INT LANGUAGE JAVASCRIPT AS $$ return n * 2; $$;
         CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='\${topic}', VALUE_FORMAT='JSON', PARTITIONS=3);
         CREATE STREAM D WITH (KAFKA_TOPIC='\${topic}-d') AS SELECT K, TWICE(V) AS V FROM S;
         CREATE SOURCE TABLE T (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='\${topic}', VALUE_FORMAT='JSON');
         INSERT INTO S VALUES (1, 10);
         INSERT INTO S VALUES (2, 20);
         INSERT INTO S VALUES (1, 11);
         ASSERT VALUES D (K, V) VALUES (2, 40);
         ASSERT VALUES D (K, V) VALUES (1, 20);
         ASSERT VALUES D (K, V) VALUES (1, 22);
         ASSERT TOPIC '\${topic}-d' WITH (PARTITIONS=3);
         SELECT V FROM T WHERE K = 1;
         ASSERT VALUES D (K, V) VALUES (1, 24);`,
      );
      const { stdout, stderr, code } = await millrace([
        'run',
        script,
        '--kafka',
        address,
        '--service-id',
        `${topic}_`,
        '--output',
        'csv',
      ]);
      expect(stderr).toContain(
        `ML_ASSERT: there is no further record in topic ${topic}-d of D (line 14, column 10 of`,
      );
      expect(stdout).toBe(`Topic ${topic}-d exists\nV\n11\n`);
      expect(code).toBe(1);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);

  test('a query that asks for more than Kafka gives here is refused before it starts', async () => {
    const topic = uniqueName('orders');
    const sql = `CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON', PARTITIONS=1);
      SET 'processing.guarantee'='exactly_once_v2';
      CREATE STREAM D WITH (KAFKA_TOPIC='${topic}-d') AS SELECT * FROM S;`;
    const args = ['-e', sql, '--service-id', `${topic}_`];
    const { stderr, code } = await millrace([...args, '--kafka', address]);
    expect(stderr).toMatch(/^ML_UNSUPPORTED: on Kafka, queries process records at least once/);
    expect(code).toBe(1);
    expect(await millrace(args)).toMatchObject({ stderr: '', code: 0 });
  });
});
