import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

test('a query that meets a damaged batch is in ERROR and says topic, offset, file and byte', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-damaged-'));
  const openLog = (): Promise<Log> =>
    openEmbeddedLog({
      clock: systemClock,
      logger: silentLogger,
      directory,
      segmentBytesMax: 3000,
      cacheBytesMax: 0,
    });
  try {
    let engine = await openEngine(null, { log: await openLog(), commandLog: true });
    await execute(
      engine,
      "CREATE STREAM S (ID INT KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);",
    );
    for (let i = 0; i < 20; i++)
      await execute(engine, `INSERT INTO S VALUES (${i}, 'value ${i} ${'.'.repeat(300)}');`);
    await engine.close();

    const files = readdirSync(directory).filter((name) => name.endsWith('.log'));
    const file = files
      .map((name) => join(directory, name))
      .find((path) => readFileSync(path).includes('value 7 '))!;
    expect(file).not.toContain(files.at(-1));
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('value 7 ') + 30]! ^= 1;
    writeFileSync(file, bytes);

    engine = await openEngine(null, { log: await openLog(), commandLog: true });
    try {
      await execute(
        engine,
        "SET 'auto.offset.reset'='earliest'; CREATE TABLE T AS SELECT ID, COUNT(*) AS N FROM S GROUP BY ID;",
      );
      const query = [...engine.queries.values()][0]!;
      await until(() => query.errors.length > 0);
      expect(query.state).toBe('ERROR');
      expect(query.errors[0]!.message).toContain(
        `the batch of offset 7 of s-0 is damaged: it does not match its checksum (${file} at byte `,
      );
      const { entity } = await execute(engine, 'SHOW QUERIES;');
      expect(JSON.stringify(entity)).toContain('ERROR');
    } finally {
      await engine.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
