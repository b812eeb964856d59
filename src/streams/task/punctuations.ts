import type { PunctuationKind } from '../topology/processor.ts';

interface Punctuation {
  readonly intervalMs: number;
  readonly callback: (timestamp: number) => void;
  nextMs: number;
  cancelled: boolean;
}

/**
 * The schedules of one task and kind of time. A gap of several intervals fires once, then the schedule keeps its
 * phase. Stream-time schedules are aligned to zero, wall-clock ones to when they were made.
 */
export class Punctuations {
  readonly kind: PunctuationKind;
  #schedules: Punctuation[] = [];
  /** When the next one is due; Infinity without any. */
  dueMs = Infinity;

  constructor(kind: PunctuationKind) {
    this.kind = kind;
  }

  schedule(intervalMs: number, nowMs: number, callback: (timestamp: number) => void): () => void {
    const nextMs = this.kind === 'stream-time' ? 0 : nowMs + intervalMs;
    const punctuation = { intervalMs, callback, nextMs, cancelled: false };
    this.#schedules.push(punctuation);
    this.#update();
    return () => {
      punctuation.cancelled = true;
      this.#schedules = this.#schedules.filter((other) => other !== punctuation);
      this.#update();
    };
  }

  /** Fires what is due at `nowMs`. Returns whether anything fired. */
  fire(nowMs: number): boolean {
    if (nowMs < this.dueMs) return false;
    const due = this.#schedules.filter((each) => each.nextMs <= nowMs).sort((a, b) => a.nextMs - b.nextMs);
    const before = due.map((each) => each.nextMs);
    try {
      for (const punctuation of due) {
        if (punctuation.cancelled) continue;
        const missed = Math.floor((nowMs - punctuation.nextMs) / punctuation.intervalMs);
        punctuation.nextMs += (missed + 1) * punctuation.intervalMs;
        punctuation.callback(nowMs);
      }
    } catch (error) {
      // The punctuations are undone, so all of them are fired again.
      due.forEach((each, i) => (each.nextMs = before[i]!));
      throw error;
    } finally {
      this.#update();
    }
    return due.length > 0;
  }

  #update(): void {
    this.dueMs = this.#schedules.reduce((least, each) => Math.min(least, each.nextMs), Infinity);
  }
}
