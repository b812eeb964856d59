import type { Fingerprint } from './fingerprint.ts';

export interface Line {
  readonly name: string;
  /** Records a CPU second, a number a round. */
  readonly rates: number[];
  /** Records a second of the clock. */
  readonly wallRates: number[];
  output: Fingerprint | null;
}

/** `over` must reach `ratio` times `under`, in medians of one run; at most 1 / `ratio` times too, when `even`. */
export interface Floor {
  readonly over: string;
  readonly under: string;
  readonly ratio: number;
  /** Whether missing it fails the run. */
  readonly binding: boolean;
  readonly even?: boolean;
}

export const FLOORS: readonly Floor[] = [
  {
    over: 'filter-project/sql/embedded',
    under: 'filter-project/hand-written/embedded',
    ratio: 0.4,
    binding: true,
  },
  { over: 'filter-project/sql/kafka', under: 'filter-project/kafkajs-loop/kafka', ratio: 3, binding: true },
  {
    over: 'filter-project/sql/kafka',
    under: 'filter-project/kafka-streams/kafka',
    ratio: 1.5,
    binding: false,
  },
  {
    over: 'windowed-count-100ms/sql/kafka',
    under: 'windowed-count-100ms/kafka-streams/kafka',
    ratio: 1,
    binding: false,
  },
  {
    over: 'windowed-count-2000ms/sql/kafka',
    under: 'windowed-count-2000ms/kafka-streams/kafka',
    ratio: 1,
    binding: false,
  },
  {
    over: 'stream-table-join/sql/kafka',
    under: 'stream-table-join/kafka-streams/kafka',
    ratio: 1,
    binding: false,
  },
  // What a transaction costs.
  {
    over: 'windowed-count-100ms/sql/kafka/exactly-once',
    under: 'windowed-count-100ms/sql/kafka',
    ratio: 0.95,
    binding: false,
  },
  ...['windowed-count-100ms', 'windowed-count-2000ms', 'word-count'].map((scenario) => ({
    over: `${scenario}/dsl/embedded`,
    under: `${scenario}/sql/embedded`,
    ratio: 0.85,
    binding: false,
    even: true,
  })),
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const thousands = (rate: number): string => `${Math.round(rate / 1000)} K`;

export function printLines(lines: readonly Line[]): string {
  const head = ['records per CPU second', 'min', 'median', 'max', 'per second', 'written'];
  const rows = lines.map(({ name, rates, wallRates, output }) =>
    rates.length === 0
      ? [name, '-', '-', '-', '-', '-']
      : [
          name,
          thousands(Math.min(...rates)),
          thousands(median(rates)),
          thousands(Math.max(...rates)),
          thousands(median(wallRates)),
          String(output?.written ?? '-'),
        ],
  );
  return table([head, ...rows]);
}

/** The first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  return rows
    .map((row) =>
      row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  '),
    )
    .join('\n');
}

/** A line a floor, and whether every binding one holds. A floor of which a side did not run is not judged. */
export function judgeFloors(lines: readonly Line[]): { readonly text: string; readonly ok: boolean } {
  let ok = true;
  const text: string[] = [];
  for (const { over, under, ratio, binding, even = false } of FLOORS) {
    const [a, b] = [over, under].map((name) =>
      lines.find((line) => line.name === name && line.rates.length > 0),
    );
    if (a === undefined || b === undefined) continue;
    const found = median(a.rates) / median(b.rates);
    const pass = found >= ratio && (!even || found <= 1 / ratio);
    if (!pass && binding) ok = false;
    text.push(
      `${pass ? 'PASS' : 'FAIL'}  ${over} / ${under} = ${found.toFixed(2)}, ${even ? `within ${ratio.toFixed(2)} and ${(1 / ratio).toFixed(2)}` : `floor ${ratio.toFixed(2)}`}`,
    );
  }
  text.push(...judgeGuarantees(lines));
  return { text: text.join('\n'), ok };
}

/** Whether exactly once costs us more than it costs Kafka Streams, a line a scenario. */
function judgeGuarantees(lines: readonly Line[]): readonly string[] {
  const rates = new Map(
    lines.filter((line) => line.rates.length > 0).map((line) => [line.name, median(line.rates)]),
  );
  const text: string[] = [];
  for (const name of rates.keys()) {
    if (!name.endsWith('/sql/kafka')) continue;
    const ratios = ['', '/exactly-once'].map((guarantee) => {
      const own = rates.get(`${name}${guarantee}`);
      const theirs = rates.get(`${name.replace('/sql/', '/kafka-streams/')}${guarantee}`);
      return own === undefined || theirs === undefined ? NaN : own / theirs;
    });
    const [atLeastOnce, exactlyOnce] = ratios as [number, number];
    if (Number.isNaN(atLeastOnce + exactlyOnce)) continue;
    text.push(
      `${exactlyOnce >= atLeastOnce ? 'PASS' : 'FAIL'}  ${name} / kafka-streams: ` +
        `at least once ${atLeastOnce.toFixed(2)}, exactly once ${exactlyOnce.toFixed(2)}, not to be lower`,
    );
  }
  return text;
}

/** Names lines of one scenario whose outputs say different things: somebody did less, or something else. */
export function differences(lines: readonly Line[]): readonly string[] {
  const found: string[] = [];
  const first = new Map<string, Line>();
  for (const line of lines) {
    if (line.output === null) continue;
    // Commit intervals change when results are written, not which.
    const scenario = line.name.split('/')[0]!.replace(/-\d+ms$/, '');
    const other = first.get(scenario);
    if (other === undefined) first.set(scenario, line);
    else if (other.output!.rows !== line.output.rows || other.output!.checksum !== line.output.checksum)
      found.push(
        `${line.name} gave ${line.output.rows} rows, checksum ${line.output.checksum}; ` +
          `${other.name} gave ${other.output!.rows}, ${other.output!.checksum}`,
      );
  }
  return found;
}
