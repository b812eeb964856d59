import { LogError } from './log.ts';

/** More partitions of one topic are a mistake: Kafka itself has no limit, and suffers. */
export const PARTITIONS_MAX = 10_000;

/** Whether Kafka would take the name. */
export function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..';
}

/** Throws `LogError` `invalid-topic` unless Kafka would take the name and the number of partitions. */
export function checkNewTopic(name: string, partitions: number): void {
  if (!isTopicName(name))
    throw new LogError(
      'invalid-topic',
      `${JSON.stringify(name)} cannot be the name of a topic: use 1 to 249 letters, digits, dots, underscores and dashes`,
    );
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX)
    throw new LogError(
      'invalid-topic',
      `topic ${name} cannot have ${partitions} partitions: use 1 to 10,000`,
    );
}
