import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import { openRepair } from '../../../src/log/embedded/repair-journal.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

test('a query whose commits are lost with the end of the log goes on behind it, its state built again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-repaired-'));
  const logDirectory = join(directory, 'log');
  const open = async (): Promise<Engine> =>
    openEngine(null, {
      log: await openEmbeddedLog({ clock: systemClock, logger: silentLogger, directory: logDirectory }),
      commandLog: true,
      stateDirectory: join(directory, 'state'),
      state: openStateBackend(),
    });
  const total = async (engine: Engine): Promise<unknown> =>
    (await execute(engine, 'SELECT N FROM T WHERE K = 1;')).rows[0]?.[0];
  const waitFor = async (engine: Engine, n: number): Promise<void> => {
    let found: unknown;
    let asking = false;
    await until(() => {
      if (!asking && Number(found) !== n) {
        asking = true;
        void total(engine).then(
          (value) => {
            found = value;
            asking = false;
          },
          () => {
            asking = false;
          },
        );
      }
      return Number(found) === n;
    });
  };
  try {
    let engine = await open();
    await execute(
      engine,
      `SET 'auto.offset.reset'='earliest';
       CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
       CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;`,
    );
    for (let i = 0; i < 5; i++) await execute(engine, `INSERT INTO S VALUES (1, ${i});`);
    await waitFor(engine, 5);
    await engine.close();

    // The last frame is the last commit of the query: input offset, changelog and output.
    const name = readdirSync(logDirectory).findLast((file) => file.endsWith('.log'))!;
    const bytes = readFileSync(join(logDirectory, name));
    bytes[bytes.lastIndexOf('[{"op":"append"') + 5]! ^= 1;
    writeFileSync(join(logDirectory, name), bytes);
    const repair = await openRepair(logDirectory);
    expect(repair.lost.filter(({ maybe }) => !maybe)).toEqual([]);
    repair.apply('now');
    repair.close();

    engine = await open();
    try {
      await waitFor(engine, 5);
      await execute(engine, 'INSERT INTO S VALUES (1, 100);');
      await waitFor(engine, 6);
      const query = [...engine.queries.values()][0]!;
      expect([query.state, query.errors]).toEqual(['RUNNING', []]);
    } finally {
      await engine.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
