import type { Log, LogAdmin } from '../../src/log/log.ts';

/** A log whose topics seem to have fewer partitions than they have, until they are given more. */
export class GrowingLog implements Log {
  readonly #log: Log;
  readonly #counts = new Map<string, number>();
  /** Ids of topics. */
  readonly ids = new Map<string, string>();
  /** What descriptions of topics wait for, and fail with. */
  answers = (): Promise<void> => Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The topic has so many partitions from now on. */
  show(topic: string, partitions: number): void {
    this.#counts.set(topic, partitions);
  }

  get admin(): LogAdmin {
    const { admin } = this.#log;
    const shown = <T>(topic: string, list: readonly T[]): readonly T[] =>
      list.slice(0, this.#counts.get(topic) ?? list.length);
    return new Proxy(admin, {
      get: (_target, name: keyof LogAdmin) => {
        switch (name) {
          case 'describeTopic':
            return async (topic: string) => {
              await this.answers();
              const description = await admin.describeTopic(topic);
              const partitions = this.#counts.get(topic);
              if (description === undefined) return undefined;
              return {
                ...description,
                partitions: partitions ?? description.partitions,
                id: this.ids.get(topic),
              };
            };
          case 'offsets':
            return async (topic: string) => shown(topic, await admin.offsets(topic));
          case 'offsetsForTime':
            return async (topic: string, time: number) =>
              shown(topic, await admin.offsetsForTime(topic, time));
          default:
            return admin[name].bind(admin);
        }
      },
    });
  }

  openReader(options?: Parameters<Log['openReader']>[0]): ReturnType<Log['openReader']> {
    return this.#log.openReader(options);
  }

  openWriter(options?: Parameters<Log['openWriter']>[0]): ReturnType<Log['openWriter']> {
    return this.#log.openWriter(options);
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
