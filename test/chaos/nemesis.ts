import { Kafka as KafkaClient, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { startKafka } from '../../scripts/kafka.js';
import { SeededRandom } from '../harness/random.ts';
import type { Event, Leader, Role } from './schedule.ts';
import type { ServiceProcess } from './service.ts';

type Kafka = Awaited<ReturnType<typeof startKafka>>;

export interface NemesisOptions {
  readonly kafka: Kafka;
  readonly processes: readonly ServiceProcess[];
  /** Which of them runs the queries, as far as is known. */
  readonly active: () => ServiceProcess | null;
  /** The consumer group, and transactional id, of a query. */
  readonly group: string;
  readonly topic: string;
  readonly seed: number;
  readonly tell: (what: string) => void;
}

/** Does to processes and brokers what a schedule says. */
export class Nemesis {
  readonly counts = { kills: 0, stops: 0, brokers: 0 };
  readonly #options: NemesisOptions;
  readonly #random: SeededRandom;
  readonly #client: KafkaClient;
  /** What has begun and not ended. */
  readonly #pending = new Set<Promise<void>>();
  #failure: Error | null = null;
  #brokerIsDown = false;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#client = new KafkaClient({ brokers: options.kafka.address.split(','), logLevel: logLevel.NOTHING });
  }

  /** What kept something from being done, if anything. */
  get failure(): Error | null {
    return this.#failure;
  }

  begin(event: Event): void {
    const done = (event.what === 'broker' ? this.#broker(event) : this.#process(event)).catch(
      (error: Error) => void (this.#failure ??= error),
    );
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  /** Resolves when all processes and brokers are there again. */
  async rest(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    for (const each of this.#options.processes) {
      each.resume();
      each.start();
    }
  }

  async #process({ what, whose, forMs }: Exclude<Event, { what: 'broker' }>): Promise<void> {
    const target = this.#choose(whose);
    if (target === null) return;
    if (what === 'kill') {
      this.counts.kills++;
      this.#options.tell(`kill -9 ${target.name} (${whose}), for ${forMs} ms`);
      await target.kill();
      await sleep(forMs);
      target.start();
      return;
    }
    this.counts.stops++;
    this.#options.tell(`SIGSTOP ${target.name} (${whose}), for ${forMs} ms`);
    target.pause();
    await sleep(forMs);
    target.resume();
  }

  #choose(whose: Role): ServiceProcess | null {
    const { processes, active } = this.#options;
    const there = processes.filter(({ isThere }) => isThere);
    return there.find((each) => (each === active()) === (whose === 'active')) ?? there[0] ?? null;
  }

  async #broker({ leads, forMs }: Extract<Event, { what: 'broker' }>): Promise<void> {
    // Two of three must write.
    if (this.#brokerIsDown) return;
    this.#brokerIsDown = true;
    const id = await this.#leader(leads);
    this.counts.brokers++;
    this.#options.tell(`kill -9 broker ${id} (leads ${leads}), for ${forMs} ms`);
    await this.#options.kafka.kill(id);
    await sleep(forMs);
    await this.#options.kafka.restart(id);
    this.#options.tell(`broker ${id} is there again`);
    this.#brokerIsDown = false;
  }

  async #leader(leads: Leader): Promise<number> {
    const { kafka, group, topic } = this.#options;
    if (leads === 'any') return this.#random.pick(kafka.nodes).id;
    const of = { transactions: '__transaction_state', offsets: '__consumer_offsets', records: topic }[leads];
    const admin = this.#client.admin();
    await admin.connect();
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [of] });
      const partitions = topics[0]!.partitions;
      const partition = leads === 'records' ? 0 : (javaHash(group) & 0x7fffffff) % partitions.length;
      const leader = partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
      return leader === -1 ? this.#random.pick(kafka.nodes).id : leader;
    } finally {
      await admin.disconnect();
    }
  }
}

/** `String.hashCode`, by which coordinators are found. */
function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
