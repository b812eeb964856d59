import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { SteppedStreams } from '../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../src/streams/instance/streams-options.ts';
import type { Topology } from '../../src/streams/topology/topology.ts';

/** All options have a default, but the log. */
export type TestStreamsOptions = Pick<StreamsOptions, 'log'> & Partial<StreamsOptions>;

/** What this test file created and has not yet closed by `closeStreams`. */
const created: SteppedStreams[] = [];

/** The application `app`, not yet opened: on the machine's clock, with its state in memory. */
export function createStreams(topology: Topology, options: TestStreamsOptions): SteppedStreams {
  const streams = new SteppedStreams(topology, {
    applicationId: 'app',
    state: openStateBackend(),
    stateDirectory: null,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  created.push(streams);
  return streams;
}

/** The application of `createStreams`, opened: the test takes its steps. */
export async function openStreams(topology: Topology, options: TestStreamsOptions): Promise<SteppedStreams> {
  const streams = createStreams(topology, options);
  await streams.open();
  return streams;
}

/** Closes what was created since the last call: for `afterEach`, before the log is closed. */
export async function closeStreams(): Promise<void> {
  for (const streams of created.splice(0)) await streams.close();
}

/** Steps and commits until all that its sources hold is processed. */
export async function drain(streams: SteppedStreams): Promise<void> {
  while (!(await streams.caughtUp())) {
    await streams.step();
    await streams.commit();
  }
}
