import type { Engine } from '../engine/engine.ts';
import type { SteppedStreams } from '../streams/application/stepped-streams.ts';

/** Takes what there is to read through the whole topology. Returns whether there was anything. */
export async function stepThrough(streams: SteppedStreams, signal: AbortSignal): Promise<boolean> {
  let moved = false;
  while (!signal.aborted && (await streams.step(0))) moved = true;
  return moved;
}

/**
 * Takes what is in the log through all queries of an engine that starts none by itself (`startQueries: 'stepped'`), in
 * the order in which they were created, until nothing moves any more. Those that were created since the last time are
 * opened, and go on where the query of that id was before. Paused ones stay where they are.
 * Throws what a query fails with.
 */
export async function stepQueries(engine: Engine, signal: AbortSignal): Promise<void> {
  for (let moved = true; moved && !signal.aborted;) {
    moved = false;
    for (const { streams, isPaused } of engine.queries.values()) {
      if (streams.state === 'created') await streams.open();
      if (isPaused || !(await stepThrough(streams, signal))) continue;
      // Others see what is committed.
      await streams.commit();
      moved = true;
    }
  }
}
