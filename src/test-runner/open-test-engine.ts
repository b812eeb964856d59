import type { Clock } from '../common/clock.ts';
import { silentLogger } from '../common/logger.ts';
import type { Engine, EngineOptions } from '../engine/engine.ts';
import { openEngine } from '../engine/open-engine.ts';
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts';
import { openStateBackend } from '../state/task-state.ts';

/** An engine on a log of its own that leaves nothing behind. `clock` is that of both. Closing it closes the log. */
export async function openTestEngine(
  clock: Clock,
  options: Pick<EngineOptions, 'startQueries' | 'functionClock' | 'functions'>,
): Promise<Engine> {
  return openEngine({
    log: await openEmbeddedLog({ clock, logger: silentLogger }),
    stateDirectory: null,
    state: openStateBackend(),
    clock,
    random: () => 0.5,
    logger: silentLogger,
    // As ksqlDB's own executor names it.
    serviceId: 'some.ksql.service.id',
    commandLog: false,
    version: 'test',
    ...options,
  });
}
