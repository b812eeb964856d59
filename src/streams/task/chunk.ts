/** A stretch of work without a pause: how much may be done in it, and how much is. Tasks that run as one share it. */
export class Chunk {
  readonly recordsMax: number;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** Records that were processed. */
  done = 0;
  /** The time of the record that was left because it is later than was asked for; -1 when there was none. */
  nextMs = -1;

  constructor(recordsMax: number, deadlineMs: number) {
    this.recordsMax = recordsMax;
    this.deadlineMs = deadlineMs;
  }
}
