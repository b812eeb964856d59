import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { Engine, EngineOptions } from '../../src/engine/engine.ts';
import { openEngine as open } from '../../src/engine/open-engine.ts';
import type { Entity } from '../../src/engine/result.ts';
import { newSession, type Session } from '../../src/engine/session.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { parseStatements } from '../../src/sql/parser/parse.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import type { Row } from '../../src/types/value.ts';

/** An engine on a log in memory, or in `directory`, where it finds what it did before. */
export async function openEngine(
  directory: string | null = null,
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  return open({
    log: await openEmbeddedLog({
      clock: systemClock,
      logger: silentLogger,
      ...(directory === null ? {} : { directory }),
    }),
    stateDirectory: null,
    state: openStateBackend(),
    clock: systemClock,
    random: () => 0.5,
    logger: silentLogger,
    serviceId: 'test',
    commandLog: directory !== null,
    version: 'test',
    ...options,
  });
}

/** Runs statements; gives what the last one answered. Rows are read to their end. */
export async function execute(
  engine: Engine,
  sql: string,
  session: Session = newSession(),
): Promise<{ entity: Entity | null; rows: readonly Row[] }> {
  let entity: Entity | null = null;
  const rows: Row[] = [];
  for (const statement of parseStatements(sql, session.variables)) {
    rows.length = 0;
    entity = null;
    const result = await engine.execute(statement, session);
    if (result.kind === 'entity') {
      entity = result.entity;
      continue;
    }
    for (let batch = await result.rows.next(); batch !== null; batch = await result.rows.next())
      rows.push(...batch.rows);
    await result.rows.close();
  }
  return { entity, rows };
}
