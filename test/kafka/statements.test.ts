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
});
