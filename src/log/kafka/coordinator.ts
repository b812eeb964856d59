import type { KafkaCluster } from './kafka-cluster.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import { NONE } from './protocol-error.ts';
import { findCoordinatorRequest } from './requests.ts';
import type { CoordinatorKind } from './requests.ts';
import { failureOf, RetriableError } from './retry.ts';

/** The broker that coordinates a group or a transactional id: looked up once, and again after any failure. */
export class Coordinator {
  readonly #cluster: KafkaCluster;
  readonly #kind: CoordinatorKind;
  readonly #key: string;
  #node: number | undefined;

  constructor(cluster: KafkaCluster, kind: CoordinatorKind, key: string) {
    this.#cluster = cluster;
    this.#kind = kind;
    this.#key = key;
  }

  /** `check` throws when the answer is no good: the coordinator may have moved. */
  async send<T>(request: ProtocolRequest<T>, check: (answer: T) => void): Promise<T> {
    const node = await this.find();
    try {
      const answer = await this.#cluster.send(node, request);
      check(answer);
      return answer;
    } catch (error) {
      // A look-up is cheap beside the pause that follows.
      this.#node = undefined;
      throw error;
    }
  }

  /** Its node. Throws `RetriableError` while there is none. */
  async find(): Promise<number> {
    return (this.#node ??= await coordinatorOf(this.#cluster, this.#kind, this.#key));
  }
}

/** Throws `RetriableError` while there is none. */
async function coordinatorOf(cluster: KafkaCluster, kind: CoordinatorKind, key: string): Promise<number> {
  const what = kind === 'group' ? 'group' : 'transactional id';
  const found = await cluster.sendToAny(findCoordinatorRequest(kind, key));
  if (found.code !== NONE)
    throw failureOf(found.code, `looking up the coordinator of ${what} ${key}`, undefined, found.message);
  // The coordinator may be a broker that has joined since.
  await cluster.refresh([]);
  if (found.nodeId < 0) throw new RetriableError(`${what} ${key} has no coordinator yet`);
  return found.nodeId;
}
