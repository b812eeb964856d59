import { type Clock, sleep } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { messageOf } from '../../common/error.ts';
import { Coordinator } from './coordinator.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import { RetriableError } from './retry.ts';

/**
 * Requests that groups' coordinators answer at once, over connections of their own: nothing else is ever under way there, so
 * that what has not been answered in time is lost with its connection.
 */
export class CoordinatorConnection {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly #newCluster: () => KafkaCluster;
  readonly #coordinators = new Map<string, Coordinator>();
  #cluster: KafkaCluster | null = null;

  constructor(newCluster: () => KafkaCluster, clock: Clock, logger: Logger) {
    this.#newCluster = newCluster;
    this.clock = clock;
    this.logger = logger;
  }

  /** Throws `RetriableError` when there was no answer within `timeoutMs`; the coordinator is looked up again then. */
  async send<T>(group: string, request: ProtocolRequest<T>, timeoutMs: number): Promise<T> {
    const cluster = (this.#cluster ??= this.#newCluster());
    const timer = new AbortController();
    const late = sleep(this.clock, timeoutMs, timer.signal).then(() => {
      if (timer.signal.aborted) return new Promise<never>(() => undefined);
      if (this.#cluster === cluster) this.rest();
      throw new RetriableError(`no answer within ${timeoutMs} ms`);
    });
    try {
      return await Promise.race([this.#send(cluster, group, request), late]);
    } catch (error) {
      this.forget(group);
      // It was closed because another request on it was late.
      throw cluster === this.#cluster ? error : new RetriableError(messageOf(error));
    } finally {
      timer.abort();
    }
  }

  /** The coordinator may have moved. */
  forget(group: string): void {
    this.#coordinators.delete(group);
  }

  #send<T>(cluster: KafkaCluster, group: string, request: ProtocolRequest<T>): Promise<T> {
    let coordinator = this.#coordinators.get(group);
    if (coordinator === undefined) {
      coordinator = new Coordinator(cluster, 'group', group);
      this.#coordinators.set(group, coordinator);
    }
    return coordinator.send(request, () => undefined);
  }

  /** Closes the connections until they are needed. */
  rest(): void {
    void this.#cluster?.close();
    this.#cluster = null;
    this.#coordinators.clear();
  }
}
