import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { openEngine } from '../../../src/engine/open-engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';

test.each(['stepped', 'running'] as const)(
  'queries that are %s are left as created, or run',
  async (startQueries) => {
    const clock = new ManualClock();
    const engine = await openEngine({
      log: await openEmbeddedLog({ clock, logger: silentLogger }),
      stateDirectory: null,
      state: openStateBackend(),
      clock,
      random: () => 0,
      logger: silentLogger,
      serviceId: 'test',
      commandLog: false,
      version: 'test',
      startQueries,
    });
    const text = `CREATE STREAM S (V STRING) WITH (KAFKA_TOPIC='in', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE STREAM COPY AS SELECT * FROM S;`;
    for (const statement of parseStatements(text)) await engine.execute(statement, newSession());
    expect([...engine.queries.values()].map((query) => query.streams.state)).toEqual([
      startQueries === 'stepped' ? 'created' : 'running',
    ]);
    await engine.close();
  },
);
