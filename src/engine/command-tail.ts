import { must } from '../common/assert.ts';
import { type Clock, sleep } from '../common/clock.ts';
import { messageOf } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import type { Log, LogReader } from '../log/log.ts';

const WAIT_MS = 60_000;
const RETRY_MS = 1000;

/** Follows a topic of one partition to which others write. */
export class CommandTail {
  readonly #log: Log;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #more: () => Promise<void>;
  readonly #stopped = new AbortController();
  #reader: LogReader | null = null;
  readonly #ran: Promise<void>;

  /** `more` is called when there may be something new, and for the first time at once. */
  constructor(
    log: Log,
    topic: string,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    more: () => Promise<void>,
  ) {
    this.#log = log;
    this.#topic = topic;
    this.#clock = clock;
    this.#logger = logger;
    this.#more = more;
    this.#ran = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#reader?.close();
    await this.#ran;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn({ topic: this.#topic, error: messageOf(error) }, 'the topic is read again');
        await sleep(this.#clock, RETRY_MS, signal);
      } finally {
        await this.#reader?.close();
        this.#reader = null;
      }
    }
  }

  async #follow(): Promise<void> {
    const partition = { topic: this.#topic, partition: 0 };
    const { end } = must((await this.#log.admin.offsets(this.#topic))[0]);
    if (this.#stopped.signal.aborted) return;
    const reader = this.#log.openReader();
    this.#reader = reader;
    reader.assign({ ...partition, offset: end });
    await this.#more();
    while (!this.#stopped.signal.aborted) if ((await reader.poll(WAIT_MS)).length > 0) await this.#more();
  }
}
