import type { Clock } from '../../common/clock.ts';
import type { TopicLimits } from '../slab-appender.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import { isRetriable, NONE } from './protocol-error.ts';
import { describeTopicConfigsRequest } from './requests.ts';
import { failureOf } from './retry.ts';

const LEARN_TIMEOUT_MS = 30_000;
/** After so long it is asked again what a topic takes: somebody may have raised it because of what was refused. */
const STALE_MS = 60_000;

/** Whom topics' settings are asked of: a `KafkaCluster`. */
interface Brokers {
  readonly clock: Clock;
  retry<T>(doing: string, timeoutMs: number, attempt: () => Promise<T>): Promise<T>;
  sendToAny<T>(request: ProtocolRequest<T>): Promise<T>;
}

/** What a topic takes by its settings. */
interface TopicRules {
  readonly messageBytesMax: number;
  readonly keyed: boolean;
  readonly beforeMs: number;
  readonly afterMs: number;
}

const NO_RULES: TopicRules = {
  messageBytesMax: Infinity,
  keyed: false,
  beforeMs: Infinity,
  afterMs: Infinity,
};

interface Known {
  readonly rules: TopicRules;
  readonly learnedMs: number;
  /** Less than the rules say, where more was refused: they could not be asked for, or the brokers compress anew. */
  batchBytesMax: number;
  recordBytesMax: number;
}

/**
 * What topics refuse, as far as anything was refused, for all writers of a log: a writer that comes in the place of one that
 * was refused knows it from the start.
 */
export class KnownLimits {
  readonly #topics = new Map<string, Known>();
  readonly #learning = new Map<string, Promise<void>>();

  /** Null while nothing is known of the topic: nothing of it was refused. `nowMs`: wall-clock time. */
  of(topic: string, nowMs: number): TopicLimits | null {
    const known = this.#topics.get(topic);
    if (known === undefined) return null;
    const { keyed, messageBytesMax, beforeMs, afterMs } = known.rules;
    const recordBytesMax = Math.min(messageBytesMax, known.recordBytesMax);
    return {
      batchBytesMax: Math.min(recordBytesMax, known.batchBytesMax),
      recordBytesMax,
      keyed,
      timestampMin: nowMs - beforeMs,
      timestampMax: nowMs + afterMs,
    };
  }

  /** Asks the brokers. Those that do not say (DESCRIBE_CONFIGS is not allowed) are told by what they refuse. */
  async learn(cluster: Brokers, topic: string): Promise<void> {
    const under = this.#learning.get(topic);
    if (under !== undefined) return under;
    const learning = this.#learn(cluster, topic).finally(() => this.#learning.delete(topic));
    this.#learning.set(topic, learning);
    return learning;
  }

  /** Asks in the background where what is known is old. */
  refresh(cluster: Brokers, topic: string): void {
    const known = this.#topics.get(topic);
    if (known === undefined || cluster.clock.monotonic() - known.learnedMs < STALE_MS) return;
    void this.learn(cluster, topic).catch(() => undefined);
  }

  async #learn(cluster: Brokers, topic: string): Promise<void> {
    const doing = `asking what topic ${topic} takes`;
    const rules = await cluster.retry(doing, LEARN_TIMEOUT_MS, async () => {
      const { code, configs } = await cluster.sendToAny(describeTopicConfigsRequest(topic));
      if (isRetriable(code)) throw failureOf(code, doing);
      return code === NONE ? rulesOf(configs) : NO_RULES;
    });
    const before = this.#topics.get(topic);
    const isSame = before !== undefined && JSON.stringify(before.rules) === JSON.stringify(rules);
    this.#topics.set(topic, {
      rules,
      learnedMs: cluster.clock.monotonic(),
      // What was refused against all rules is believed again when there are others.
      batchBytesMax: isSame ? before.batchBytesMax : Infinity,
      recordBytesMax: isSame ? before.recordBytesMax : Infinity,
    });
  }

  /** A batch was refused for its size that should have been taken. */
  refused(topic: string, sizeBytes: number, recordCount: number): void {
    const known = this.#topics.get(topic);
    if (known === undefined) return;
    if (recordCount > 1) known.batchBytesMax = Math.min(known.batchBytesMax, Math.floor(sizeBytes / 2));
    else known.recordBytesMax = Math.min(known.recordBytesMax, sizeBytes - 1);
  }
}

/** `message.timestamp.difference.max.ms` was both of the others before Kafka 3.6 (KIP-937). */
function rulesOf(configs: Readonly<Record<string, string>>): TopicRules {
  const number = (...names: string[]): number => {
    const text = names.map((name) => configs[name]).find((each) => each !== undefined);
    const value = Number(text ?? Infinity);
    // Kafka's largest number stands for none.
    return Number.isSafeInteger(value) ? value : Infinity;
  };
  const isOwnTime = configs['message.timestamp.type'] !== 'LogAppendTime';
  const difference = 'message.timestamp.difference.max.ms';
  return {
    messageBytesMax: number('max.message.bytes'),
    keyed: configs['cleanup.policy']?.includes('compact') === true,
    beforeMs: isOwnTime ? number('message.timestamp.before.max.ms', difference) : Infinity,
    afterMs: isOwnTime ? number('message.timestamp.after.max.ms', difference) : Infinity,
  };
}
