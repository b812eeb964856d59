import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { assert, must } from '../../common/assert.ts';
import type { Topology } from '../topology/topology.ts';
import { SteppedStreams } from './stepped-streams.ts';
import type { StreamsOptions, StreamsState } from '../instance/streams-options.ts';

/**
 * One application in several threads of a process (num.stream.threads), on Kafka: the embedded log belongs to the
 * thread that opened it. The application's module is loaded in every thread and makes its topology, its log and its
 * options there, because functions do not travel between threads; what travels are the messages below. Each thread
 * runs the tasks whose number says so, with connections and state of its own.
 *
 * ```ts
 * // word-count.js
 * if (inStreamThread) await runStreamThread(openApplication);
 * else await StreamThreads.start({ module: new URL(import.meta.url), threads: 4 });
 *
 * async function openApplication() {
 *   const log = await openKafkaLog({ … });
 *   return { topology: builder.build(), options: { applicationId: 'word-count', log, … } };
 * }
 * ```
 */
export type OpenApplication = (
  thread: number,
) => Promise<{ readonly topology: Topology; readonly options: StreamsOptions }>;

interface ThreadData {
  readonly streamThread: number;
  readonly streamThreads: number;
}

/** A request of the main thread; each is answered once, in order. */
type ThreadRequest = 'pause' | 'resume' | 'catch-up' | 'count' | 'close';

interface ThreadCounts {
  readonly tasks: readonly string[];
  readonly repartitionTopics: number;
  readonly processed: number;
  readonly skipped: number;
}

type ThreadMessage =
  | { readonly kind: 'state'; readonly state: StreamsState }
  | { readonly kind: 'started' }
  | { readonly kind: 'answer'; readonly counts: ThreadCounts }
  | { readonly kind: 'error'; readonly message: string };

/** Whether this is a thread that `StreamThreads` started. */
export const inStreamThread: boolean =
  !isMainThread && typeof workerData === 'object' && workerData !== null && 'streamThread' in workerData;

/** Tasks of one sub-topology go to the threads in turn, those of the next begin one further. */
function threadOfTask(subTopology: number, partition: number, threads: number): number {
  return (subTopology + partition) % threads;
}

/** Runs this thread's share of the application until it is told to close. */
export async function runStreamThread(open: OpenApplication): Promise<void> {
  assert(inStreamThread, 'a stream thread is started by StreamThreads');
  const port = must(parentPort);
  const { streamThread, streamThreads } = workerData as ThreadData;
  const post = (message: ThreadMessage): void => port.postMessage(message);
  let failed = false;
  const fail = (error: unknown): void => {
    failed = true;
    post({ kind: 'error', message: error instanceof Error ? error.message : String(error) });
  };
  const { topology, options } = await open(streamThread);
  const { applicationId, state, stateDirectory, onError, onStateChange } = options;
  // One thread holds the application's lock for all.
  const unlock =
    streamThread === 0 && stateDirectory !== null
      ? await state.lockApplication?.(join(stateDirectory, applicationId))
      : undefined;
  const streams = new SteppedStreams(topology, {
    ...options,
    // Threads write at the same time, each as somebody of its own.
    transactionalId: `${options.transactionalId ?? applicationId}-${streamThread}`,
    ownsTask: (subTopology, partition) =>
      threadOfTask(subTopology, partition, streamThreads) === streamThread,
    onStateChange(next, before) {
      post({ kind: 'state', state: next });
      if (next === 'error') fail(streams.error);
      onStateChange?.(next, before);
    },
    onError: (error) => onError?.(error),
  });
  const close = async (): Promise<void> => {
    await streams.close();
    await options.log.close();
    unlock?.();
  };
  try {
    await streams.start();
  } catch (error) {
    if (!failed) fail(error);
    await close();
    return;
  }
  post({ kind: 'started' });
  await new Promise<void>((resolve) => {
    let turn: Promise<void> = Promise.resolve();
    port.on('message', (request: ThreadRequest) => {
      turn = turn.then(async () => {
        await answer(streams, request, close);
        const tasks = streams.tasks.map((task) => task.id);
        const repartitionTopics = topology.repartitionTopics.length;
        const counts = {
          tasks,
          repartitionTopics,
          processed: streams.processedRecords,
          skipped: streams.skippedRecords,
        };
        post({ kind: 'answer', counts });
        if (request === 'close') resolve();
      });
    });
  });
  port.close();
}

async function answer(
  streams: SteppedStreams,
  request: ThreadRequest,
  close: () => Promise<void>,
): Promise<void> {
  switch (request) {
    case 'pause':
      return streams.pause();
    case 'resume':
      return streams.resume();
    case 'catch-up':
      return streams.catchUp();
    case 'close':
      return close();
    case 'count':
      return undefined;
  }
}

export interface StreamThreadsOptions {
  /** The application's module, which calls `runStreamThread`. */
  readonly module: URL;
  readonly threads: number;
  /** Once, with what stopped the first thread that stopped; the others are closed then. */
  readonly onError?: (error: Error) => void;
}

/** The threads of one application, as the thread that started them sees them. */
export class StreamThreads {
  readonly #threads: readonly StreamThread[];
  readonly #onError: (error: Error) => void;
  #error: Error | null = null;
  #closing: Promise<void> | null = null;

  private constructor({ module, threads, onError }: StreamThreadsOptions) {
    assert(Number.isInteger(threads) && threads > 0, 'the number of threads is a whole number above 0');
    this.#onError = onError ?? (() => undefined);
    this.#threads = Array.from(
      { length: threads },
      (_, index) =>
        new StreamThread(module, { streamThread: index, streamThreads: threads }, (error) =>
          this.#failed(error),
        ),
    );
  }

  /** Resolves when every thread processes its tasks; rejects when one cannot, with all of them closed. */
  static async start(options: StreamThreadsOptions): Promise<StreamThreads> {
    const started = new StreamThreads(options);
    try {
      await Promise.all(started.#threads.map((thread) => thread.started));
    } catch (error) {
      await started.close();
      throw error;
    }
    return started;
  }

  /** The error that stopped it. */
  get error(): Error | null {
    return this.#error;
  }

  /** The state of each thread, in order. */
  get states(): readonly StreamsState[] {
    return this.#threads.map((thread) => thread.state);
  }

  /** Which tasks each thread runs. */
  async tasks(): Promise<readonly (readonly string[])[]> {
    return (await this.#ask('count')).map(({ tasks }) => tasks);
  }

  async processedRecords(): Promise<number> {
    return (await this.#ask('count')).reduce((sum, { processed }) => sum + processed, 0);
  }

  async skippedRecords(): Promise<number> {
    return (await this.#ask('count')).reduce((sum, { skipped }) => sum + skipped, 0);
  }

  async pause(): Promise<void> {
    await this.#ask('pause');
  }

  async resume(): Promise<void> {
    await this.#ask('resume');
  }

  /** As `Streams.catchUp`, over all threads: what one writes to a repartition topic, another has processed too. */
  async catchUp(): Promise<void> {
    const topics = (await this.#ask('count'))[0]?.repartitionTopics ?? 0;
    for (let round = 0; round <= topics; round++) await this.#ask('catch-up');
  }

  /** Commits and stops all threads. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#threads.map((thread) => thread.close())).then(() => undefined);
    return this.#closing;
  }

  #ask(request: ThreadRequest): Promise<ThreadCounts[]> {
    return Promise.all(this.#threads.map((thread) => thread.ask(request)));
  }

  #failed(error: Error): void {
    if (this.#error !== null || this.#closing !== null) return;
    this.#error = error;
    try {
      this.#onError(error);
    } finally {
      void this.close();
    }
  }
}

interface Waiting {
  resolve(counts: ThreadCounts): void;
  reject(error: Error): void;
}

class StreamThread {
  state: StreamsState = 'created';
  readonly started: Promise<void>;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting: Waiting[] = [];
  #running = true;

  constructor(module: URL, data: ThreadData, onError: (error: Error) => void) {
    this.#worker = new Worker(module, { workerData: data });
    let gone = new Error(`stream thread ${data.streamThread} has ended`);
    this.started = new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        gone = error;
        reject(error);
        onError(error);
      };
      this.#worker.on('message', (message: ThreadMessage) => {
        switch (message.kind) {
          case 'state':
            this.state = message.state;
            break;
          case 'started':
            resolve();
            break;
          case 'answer':
            this.#waiting.shift()?.resolve(message.counts);
            break;
          case 'error':
            fail(new Error(`stream thread ${data.streamThread} has stopped: ${message.message}`));
        }
      });
      this.#worker.on('error', (error) => {
        this.state = 'error';
        fail(error instanceof Error ? error : new Error(String(error)));
      });
      this.#worker.on('exit', () => {
        this.#running = false;
        for (const each of this.#waiting.splice(0)) each.reject(gone);
        if (this.state !== 'stopped') fail(gone);
      });
    });
    // A failure at the start is told by `start`, later ones by `onError`.
    this.started.catch(() => undefined);
    this.#exited = new Promise((resolve) => void this.#worker.once('exit', () => resolve()));
  }

  ask(request: ThreadRequest): Promise<ThreadCounts> {
    if (!this.#running) return Promise.reject(new Error('the stream thread has ended'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    if (this.#running) await this.ask('close').catch(() => undefined);
    await this.#exited;
  }
}
