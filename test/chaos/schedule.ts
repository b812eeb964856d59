import type { SeededRandom } from '../harness/random.ts';

/** Whose process, by what it is when its time comes. */
export type Role = 'active' | 'waiting';

/** The broker that leads what the service needs, when its time comes. */
export type Leader = 'transactions' | 'offsets' | 'records' | 'any';

export type Event =
  /** SIGKILL, and a new process `forMs` later. */
  | { readonly atMs: number; readonly what: 'kill'; readonly whose: Role; readonly forMs: number }
  /** SIGSTOP, and SIGCONT `forMs` later. */
  | { readonly atMs: number; readonly what: 'stop'; readonly whose: Role; readonly forMs: number }
  /** SIGKILL of a broker, which is started again `forMs` later. */
  | { readonly atMs: number; readonly what: 'broker'; readonly leads: Leader; readonly forMs: number };

export interface Timeouts {
  readonly sessionMs: number;
  readonly transactionMs: number;
}

/** What is done to processes and brokers in so much time: the same for the same random numbers. In the order of time. */
export function schedule(random: SeededRandom, minutes: number, timeouts: Timeouts): Event[] {
  const events: Event[] = [];
  const end = minutes * 60_000;
  const pastTimeouts = Math.max(timeouts.sessionMs, timeouts.transactionMs) + 1000;
  for (let atMs = random.integer(4000, 8000); atMs < end; atMs += random.integer(5000, 14_000)) {
    const whose = random.chance(0.75) ? 'active' : 'waiting';
    if (random.chance(0.55)) events.push({ atMs, what: 'kill', whose, forMs: random.integer(0, 5000) });
    else events.push({ atMs, what: 'stop', whose, forMs: pastTimeouts + random.integer(0, 4000) });
  }
  const leaders: Leader[] = ['transactions', 'offsets', 'records', 'any'];
  for (let minute = 0; minute < minutes; minute++)
    events.push({
      atMs: minute * 60_000 + random.integer(8000, 35_000),
      what: 'broker',
      // Each of the three in the first three minutes.
      leads: leaders[minute] ?? random.pick(leaders),
      forMs: random.integer(3000, 14_000),
    });
  return events.sort((a, b) => a.atMs - b.atMs);
}
