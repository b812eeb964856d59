import { TIMER_MS_MAX, type Clock } from '../../common/clock.ts';

export interface AsyncCallsOptions {
  /** Calls that run at a time, for each task. */
  readonly concurrency: number;
  /** A call that takes longer fails; beyond what timers can wait (24.8 days) none does. */
  readonly timeoutMs: number;
}

interface Call {
  /** Calls of one key run one after the other; null: of none. */
  readonly key: string | null;
  readonly run: () => Promise<unknown>;
  /** Forwards what came of it, or drops it. Synchronous; called again when state had to be loaded in between. */
  readonly deliver: (outcome: CallOutcome) => void;
  running: boolean;
  outcome: CallOutcome | null;
}

export type CallOutcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * The calls that an asynchronous operator waits for, in the order of its input. Calls of different keys run at the same time;
 * results are delivered in order, so one that is slow holds up those behind it, never overtakes. The task begins calls
 * when the record that asked for them cannot be undone any more, and delivers between records.
 */
export class AsyncCalls {
  readonly #options: AsyncCallsOptions;
  readonly #queue: Call[] = [];
  #running = 0;
  #mark = 0;
  #clock: Clock | null = null;

  constructor(options: AsyncCallsOptions) {
    this.#options = options;
  }

  /** The task's clock, which measures the time that a call takes. */
  set clock(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** No further record should be processed before something was delivered. */
  get isFull(): boolean {
    return this.#queue.length >= this.#options.concurrency;
  }

  add(key: string | null, run: () => Promise<unknown>, deliver: (outcome: CallOutcome) => void): void {
    this.#queue.push({ key, run, deliver, running: false, outcome: null });
  }

  /** From here on what is added may be undone. */
  mark(): void {
    this.#mark = this.#queue.length;
  }

  undo(): void {
    this.#queue.length = this.#mark;
  }

  /** Begins what may begin. */
  start(): void {
    const busy = new Set<string>();
    for (const call of this.#queue) {
      if (this.#running >= this.#options.concurrency) return;
      if (call.outcome !== null) continue;
      const blocked = call.key !== null && busy.has(call.key);
      if (call.key !== null) busy.add(call.key);
      if (!call.running && !blocked) this.#run(call);
    }
  }

  #run(call: Call): void {
    call.running = true;
    this.#running++;
    const settle = (outcome: CallOutcome): void => {
      if (call.outcome !== null) return;
      call.outcome = outcome;
      call.running = false;
      this.#running--;
      cancel();
      this.start();
      this.#wake();
    };
    const { timeoutMs } = this.#options;
    const late = (): void =>
      settle({ error: new Error(`the call has not come back within ${timeoutMs} ms`) });
    const cancel =
      (timeoutMs > TIMER_MS_MAX ? undefined : this.#clock?.setTimer(timeoutMs, late)) ??
      ((): void => undefined);
    // A call that throws at once fails like any other.
    void (async () => call.run())().then(
      (value) => settle({ value }),
      (error: unknown) => settle({ error }),
    );
  }

  /** Delivers the oldest call, if it has come back. Throws what delivering throws, and keeps it then. */
  deliver(): boolean {
    const call = this.#queue[0];
    if (call === undefined || call.outcome === null) return false;
    call.deliver(call.outcome);
    return true;
  }

  /** After `deliver`, when what it forwarded cannot be undone any more. */
  delivered(): void {
    this.#queue.shift();
  }

  get isHeadSettled(): boolean {
    const call = this.#queue[0];
    return call !== undefined && call.outcome !== null;
  }

  #wake: () => void = () => undefined;

  /** Resolves when the oldest call has come back. */
  async headSettled(): Promise<void> {
    while (!this.isEmpty && !this.isHeadSettled) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
