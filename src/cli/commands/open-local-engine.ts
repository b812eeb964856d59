import { join } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import type { Engine, EngineOptions } from '../../engine/engine.ts';
import type { CommonOptions } from './common-options.ts';
import { openLog } from './open-log.ts';
import { noteOpening } from './waiting-note.ts';

/** How much clients may take of it. */
export type EngineLimits = Pick<EngineOptions, 'openQueriesMax' | 'clientBytesMax' | 'clientsBytesMax'>;

/** The same, whether a script says what runs, and how this process stands among those of its service. */
export type LocalEngineOptions = EngineLimits &
  Pick<EngineOptions, 'keepQueries' | 'fresh' | 'address' | 'onWaiting'>;

/** An engine in this process. `properties` hold for all of it. */
export async function openLocalEngine(
  options: CommonOptions,
  commandLog: boolean,
  properties: ReadonlyMap<string, string>,
  more: LocalEngineOptions = {},
): Promise<Engine> {
  const [{ openEngine }, { openStateBackend }, { openLogger }, { systemClock, systemRandom }] =
    await Promise.all([
      import('../../engine/open-engine.ts'),
      import('../../state/task-state.ts'),
      import('../../common/logger.ts'),
      import('../../common/clock.ts'),
    ]);
  const logger = openLogger(options.logLevel);
  const directory = options.dataDir;
  const log = await openLog(options, { clock: systemClock, logger });
  return openEngine({
    log,
    stateDirectory: directory === undefined ? null : join(directory, 'state'),
    state: openStateBackend(options.memory === undefined ? {} : { memoryBytes: options.memory }),
    clock: systemClock,
    random: systemRandom,
    logger,
    serviceId: options.serviceId,
    commandLog,
    version: packageJson.version,
    properties,
    startQueries: options.isServer === true ? 'behind' : 'running',
    onOpening: noteOpening,
    ...more,
    ...(options.functions === undefined
      ? {}
      : {
          functions: (await import('../../engine/user-functions/load-user-functions.ts')).loadUserFunctions(
            options.functions,
            systemClock,
          ).functions,
        }),
  });
}
