import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { TopicPartition } from '../../log/log.ts';

/** How often the log says how far it is. */
const LOG_MS = 5000;

/** What is to be read of a changelog. */
interface OffsetRange extends TopicPartition {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** How far the state of an instance's tasks is that comes back from changelogs. */
export interface RestorationProgress {
  /** Partitions of changelogs of which something was to be read, and how many of them are read. */
  readonly partitions: number;
  readonly partitionsDone: number;
  /** Offsets that were to be read, and those that are; not all of them hold records. */
  readonly offsets: number;
  readonly offsetsDone: number;
  /** What was applied. */
  readonly records: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** Partitions that are not read to their end, as `topic-partition`, and how many offsets each of them lacks. */
  readonly lacking: ReadonlyMap<string, number>;
}

/** Counts what is restored, and says so in the log: when it begins, every few seconds, and when it is done. */
export class Restoration {
  /** The next offset of each. */
  readonly #positions = new Map<OffsetRange, number>();
  readonly #applicationId: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #beginMs: number;
  #records = 0;
  #bytes = 0;
  #nextLogMs: number;

  constructor(
    ranges: readonly OffsetRange[],
    context: { readonly applicationId: string; readonly logger: Logger; readonly clock: Clock },
  ) {
    for (const range of ranges) if (range.from < range.to) this.#positions.set(range, range.from);
    this.#applicationId = context.applicationId;
    this.#logger = context.logger;
    this.#clock = context.clock;
    this.#beginMs = this.#clock.monotonic();
    this.#nextLogMs = this.#beginMs + LOG_MS;
  }

  began(): void {
    if (this.#positions.size > 0) this.#log('state is being restored');
  }

  /** `position` is the next offset of the range; `records` and `bytes` were applied since the last call. */
  advanced(range: OffsetRange, position: number, records: number, bytes: number): void {
    this.#positions.set(range, Math.min(position, range.to));
    this.#records += records;
    this.#bytes += bytes;
    const now = this.#clock.monotonic();
    if (now < this.#nextLogMs) return;
    this.#nextLogMs = now + LOG_MS;
    this.#log('state is being restored');
  }

  ended(): void {
    if (this.#positions.size > 0) this.#log('all state is restored');
  }

  get progress(): RestorationProgress {
    const lacking = new Map<string, number>();
    let offsets = 0;
    let left = 0;
    for (const [{ topic, partition, from, to }, position] of this.#positions) {
      offsets += to - from;
      left += to - position;
      if (position < to) lacking.set(`${topic}-${partition}`, to - position);
    }
    return {
      partitions: this.#positions.size,
      partitionsDone: this.#positions.size - lacking.size,
      offsets,
      offsetsDone: offsets - left,
      records: this.#records,
      bytes: this.#bytes,
      elapsedMs: this.#clock.monotonic() - this.#beginMs,
      lacking,
    };
  }

  #log(message: string): void {
    const { lacking, elapsedMs, ...counts } = this.progress;
    const rates = {
      recordsPerSecond: perSecond(counts.records, elapsedMs),
      bytesPerSecond: perSecond(counts.bytes, elapsedMs),
    };
    const fields = { applicationId: this.#applicationId, ...counts, ...rates };
    this.#logger.info({ ...fields, lacking: Object.fromEntries(lacking) }, message);
  }
}

function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : Math.round((count * 1000) / elapsedMs);
}

/** `12 % of 1000000 offsets, 1 of 4 partitions done; 120000 records, 9.6 MB, 60000 records/s`. */
export function progressText(progress: RestorationProgress): string {
  const { partitions, partitionsDone, offsets, offsetsDone, records, bytes, elapsedMs } = progress;
  const percent = offsets === 0 ? 100 : Math.floor((100 * offsetsDone) / offsets);
  const done = `${percent} % of ${offsets} offsets, ${partitionsDone} of ${partitions} partitions done`;
  return `${done}; ${records} records, ${(bytes / 1e6).toFixed(1)} MB, ${perSecond(records, elapsedMs)} records/s`;
}
