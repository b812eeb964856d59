import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface BenchKafka {
  readonly address: string;
  /** Of the broker. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** `scripts/kafka.js`, which must not be bundled: it starts itself again by its own path. */
export interface KafkaScript {
  whyNoKafka(): Promise<string | undefined>;
  startKafka(options?: { readonly settings?: Record<string, string | number> }): Promise<BenchKafka>;
  kafkaClasspath(): Promise<string>;
}

export async function kafkaScript(): Promise<KafkaScript> {
  return (await import(pathToFileURL(join(process.cwd(), 'scripts/kafka.js')).href)) as KafkaScript;
}
