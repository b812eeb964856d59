import { type Clock, sleep } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { messageOf } from '../../common/error.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { ProtocolRequest } from './kafkajs-connections.ts';
import { NONE } from './protocol-error.ts';
import { findCoordinatorRequest } from './requests.ts';
import { failureOf, RetriableError } from './retry.ts';

/**
 * Requests that groups' coordinators answer at once, over connections of their own: nothing else is ever under way there, so
 * that what has not been answered in time is lost with its connection.
 */
export class CoordinatorConnection {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly #newCluster: () => KafkaCluster;
  readonly #coordinators = new Map<string, number>();
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

  async #send<T>(cluster: KafkaCluster, group: string, request: ProtocolRequest<T>): Promise<T> {
    let node = this.#coordinators.get(group);
    if (node === undefined) {
      node = await coordinatorOf(cluster, group);
      this.#coordinators.set(group, node);
    }
    return cluster.send(node, request);
  }

  /** Closes the connections until they are needed. */
  rest(): void {
    void this.#cluster?.close();
    this.#cluster = null;
    this.#coordinators.clear();
  }
}

/** The node that coordinates a group. Throws `RetriableError` while there is none. */
export async function coordinatorOf(cluster: KafkaCluster, group: string): Promise<number> {
  const doing = `looking up the coordinator of group ${group}`;
  const found = await cluster.sendToAny(findCoordinatorRequest(group));
  if (found.code !== NONE) throw failureOf(found.code, doing, undefined, found.message);
  // The coordinator may be a broker that has joined since.
  await cluster.refresh([]);
  if (found.nodeId < 0) throw new RetriableError(`group ${group} has no coordinator yet`);
  return found.nodeId;
}
