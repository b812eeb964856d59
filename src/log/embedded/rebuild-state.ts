import type { TopicPartition } from '../log.ts';
import { CompactedBatch } from './compacted-batch.ts';
import type { InspectedSegment } from './inspect-segment.ts';
import type { JournalPiece, SnapshotPlace } from './journal-pieces.ts';
import { LogState } from './log-state.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Segment } from './segment.ts';
import type { Change, Operation } from './change.ts';

/** Offsets [from, to) of a partition that nothing is left of. */
export interface LostOffsets extends TopicPartition {
  readonly from: number;
  readonly to: number;
  /** Whether records of them may never have been: what is lost could have had them, and they are not to come again. */
  readonly maybe: boolean;
}

export interface RebuiltState {
  readonly state: LogState;
  readonly lost: readonly LostOffsets[];
  readonly namelessBatches: number;
  /** Empty batches for the lost offsets. */
  readonly fillers: Change;
}

/**
 * How many offsets a lost frame used is unknown where no later frame tells. The next offset then moves on by this many,
 * or by so many for each lost byte: more than a compressed batch can hold.
 */
const OFFSETS_SKIPPED = 1_000_000;
const OFFSETS_SKIPPED_A_BYTE = 1000;
/** A batch counts its offsets in 31 bits. */
const BATCH_OFFSETS_MAX = 0x4000_0000;

/** The state of the last snapshot, the sound batches of before it, and what can be read of the changes behind it. */
export function rebuildState(pieces: readonly JournalPiece[], base: SnapshotPlace | null): RebuiltState {
  const rebuilding = new Rebuilding(base);
  for (const piece of pieces) {
    if (piece.inspected !== null && !piece.foreign) rebuilding.take(piece.inspected);
    if (base === null || piece.number >= base.number) rebuilding.miss(piece.bytesMissing);
  }
  return rebuilding.end();
}

class Rebuilding {
  readonly #base: SnapshotPlace | null;
  readonly #state = new LogState(Infinity);
  /** Bytes behind the snapshot whose content is lost. */
  #unknownBytes = 0;
  /** The value of `#unknownBytes` when a partition's next offset was last certain; 0 for partitions of the snapshot. */
  readonly #certainAt = new Map<PartitionLog, number>();
  #lastTopicId = 0;
  #namelessBatches = 0;

  constructor(base: SnapshotPlace | null) {
    this.#base = base;
    if (base !== null) this.#apply({ op: 'state', state: base.state }, null, 0);
  }

  miss(bytes: number): void {
    this.#unknownBytes += bytes;
  }

  take({ segment, frames, findings, unsound }: InspectedSegment): void {
    const gaps = findings.filter(({ loses }) => loses === 'frame');
    const pass = (until: number): void => {
      for (; gaps.length > 0 && gaps[0]!.start < until; gaps.shift())
        if (this.#isBehindSnapshot(segment.number, gaps[0]!.start)) this.miss(gaps[0]!.end - gaps[0]!.start);
    };
    for (const { start, operations, position: first } of frames) {
      pass(start);
      const isBehind = this.#isBehindSnapshot(segment.number, start);
      let position = first;
      for (const operation of operations) {
        if (operation.op === 'append') {
          this.#append(operation, isBehind, unsound.has(position) ? null : { segment, position });
          position += operation.size;
        } else if (isBehind) {
          this.#apply(operation, null, 0);
        }
      }
    }
    pass(Infinity);
  }

  end(): RebuiltState {
    const state = this.#state;
    state.nextTopicId = Math.max(state.nextTopicId, this.#lastTopicId + 1);
    // A committed offset proves that there were records up to it.
    for (const { offsets } of state.snapshot().groups)
      for (const [topic, partition, offset] of offsets) {
        const log = state.topics.get(topic)?.partitions[partition];
        if (log !== undefined) log.next = Math.max(log.next, offset ?? 0);
      }
    const lost: LostOffsets[] = [];
    for (const { name: topic, partitions } of state.topics.values())
      for (const log of partitions) {
        const { partition } = log;
        for (const { from, to } of log.holes()) lost.push({ topic, partition, from, to, maybe: false });
        const bytes = this.#unknownBytes - (this.#certainAt.get(log) ?? 0);
        if (bytes === 0) continue;
        const from = log.next;
        log.next += Math.max(OFFSETS_SKIPPED, bytes * OFFSETS_SKIPPED_A_BYTE);
        lost.push({ topic, partition, from, to: log.next, maybe: true });
      }
    return { state, lost, namelessBatches: this.#namelessBatches, fillers: fillersOf(state) };
  }

  #isBehindSnapshot(number: number, start: number): boolean {
    const base = this.#base;
    return base === null || number > base.number || (number === base.number && start > base.start);
  }

  /** `place` is null when the batch is damaged. */
  #append(
    operation: Operation & { readonly op: 'append' },
    isBehind: boolean,
    place: { readonly segment: Segment; readonly position: number } | null,
  ): void {
    const { id, partition, base, last } = operation;
    this.#lastTopicId = Math.max(this.#lastTopicId, id);
    const log = this.#state.topicById(id)?.partitions[partition];
    if (log === undefined) {
      // Before the snapshot it is a topic that was deleted.
      if (isBehind) this.#namelessBatches++;
      return;
    }
    if (last < log.start) return;
    if (isBehind && base >= log.next) {
      log.next = last + 1;
      this.#certainAt.set(log, this.#unknownBytes);
    }
    if (place !== null) this.#apply(operation, place.segment, place.position);
  }

  #apply(operation: Operation, segment: Segment | null, position: number): void {
    this.#state.apply({ operations: [operation], batches: [] }, segment, position);
    if (operation.op !== 'create') return;
    for (const log of this.#state.topicById(operation.id)!.partitions)
      this.#certainAt.set(log, this.#unknownBytes);
  }
}

function fillersOf(state: LogState): Change {
  const operations: Operation[] = [];
  const batches: Buffer[] = [];
  for (const { id, partitions } of state.topics.values())
    for (const log of partitions)
      for (const { from, to } of log.holes())
        for (let base = from; base < to; base += BATCH_OFFSETS_MAX) {
          const filler = new CompactedBatch(base, null, false);
          filler.lastOffset = Math.min(to, base + BATCH_OFFSETS_MAX) - 1;
          const bytes = filler.encode();
          const { partition } = log;
          const { lastOffset: last, maxTimestamp: max } = filler;
          operations.push({ op: 'append', id, partition, base, last, max, size: bytes.length });
          batches.push(bytes);
        }
  return { operations, batches };
}
