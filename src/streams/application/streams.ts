import type { Topology } from '../topology/topology.ts';
import type { StreamsOptions, StreamsState } from '../instance/streams-options.ts';
import { SteppedStreams } from './stepped-streams.ts';
import { StoreQueries } from './store-queries.ts';

/** One application: a topology running on a log, as `KafkaStreams` is. */
export class Streams extends StoreQueries {
  readonly #streams: SteppedStreams;

  /** Throws `RangeError` when an option is out of its range. */
  constructor(topology: Topology, options: StreamsOptions) {
    const streams = new SteppedStreams(topology, options);
    super(streams);
    this.#streams = streams;
  }

  get state(): StreamsState {
    return this.#streams.state;
  }

  /** The error that stopped it, in state `error`. */
  get error(): unknown {
    return this.#streams.error;
  }

  get processedRecords(): number {
    return this.#streams.processedRecords;
  }

  /** Records that operators dropped since start. */
  get skippedRecords(): number {
    return this.#streams.skippedRecords;
  }

  /**
   * Creates internal topics, restores state and starts the loop. Throws what makes a start impossible. A running
   * application keeps the process alive until it is closed or fails.
   */
  start(): Promise<void> {
    return this.#streams.start();
  }

  /** Stops fetching and processing, within a chunk too; state stays readable. */
  pause(): void {
    this.#streams.pause();
  }

  resume(): void {
    this.#streams.resume();
  }

  /** Commits now: everything processed so far is then in the log. */
  commit(): Promise<void> {
    return this.#streams.commit();
  }

  /**
   * Resolves when everything that the sources held when this was called has gone through the whole topology and is
   * committed, or the application has stopped. Input that keeps coming does not hold it up.
   */
  catchUp(): Promise<void> {
    return this.#streams.catchUp();
  }

  /** Commits, then stops; what is being started is started first. State stays on disk. Safe to call twice. */
  close(): Promise<void> {
    return this.#streams.close();
  }

  /** After `close`: forgets state, offsets and internal topics. Throws `StateError` before it. */
  cleanUp(): Promise<void> {
    return this.#streams.cleanUp();
  }
}
