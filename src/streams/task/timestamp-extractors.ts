import { StopError } from '../topology/stop-error.ts';
import type { TimestampExtractor } from '../topology/topology.ts';

/** A record whose timestamp cannot be used, where the application was told to stop for that. */
export class InvalidTimestamp extends StopError {
  override readonly name = 'InvalidTimestamp';
}

/** The record's own time; a negative one stops the application. The default, as in Kafka Streams. */
export const failOnInvalidTimestamp: TimestampExtractor = (_value, _key, timestamp) => {
  if (timestamp < 0)
    throw new InvalidTimestamp(
      `its timestamp is ${timestamp}: the producer may be older than Kafka 0.10, or choose another timestamp extractor`,
    );
  return timestamp;
};

/** The record's own time; a record with a negative one is dropped, counted and logged. */
export const skipOnInvalidTimestamp: TimestampExtractor = (_value, _key, timestamp) => timestamp;

/** The record's own time, or the greatest of its partition so far where that is negative. Dropped while there is none. */
export const partitionTimeOnInvalidTimestamp: TimestampExtractor = (_value, _key, timestamp, partitionTime) =>
  timestamp < 0 ? partitionTime : timestamp;

/** The time at which the record is reached, whatever it says. */
export const wallClockTimestamp: TimestampExtractor = (_value, _key, _timestamp, _partitionTime, clock) =>
  clock.now();

/** Extractors that never look at the value, which then need not be decoded to know a record's time. */
export const valueFreeExtractors: ReadonlySet<TimestampExtractor> = new Set([
  failOnInvalidTimestamp,
  skipOnInvalidTimestamp,
  partitionTimeOnInvalidTimestamp,
  wallClockTimestamp,
]);
