import { LogError } from './log.ts';

/** Throws `LogError` `invalid-topic` unless Kafka would take the name and the number of partitions. */
export function checkNewTopic(name: string, partitions: number): void {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..')
    throw new LogError(
      'invalid-topic',
      `${JSON.stringify(name)} cannot be the name of a topic: use 1 to 249 letters, digits, dots, underscores and dashes`,
    );
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 10_000)
    throw new LogError(
      'invalid-topic',
      `topic ${name} cannot have ${partitions} partitions: use 1 to 10,000`,
    );
}
