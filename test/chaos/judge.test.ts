import { expect, test } from 'vitest';
import { Judge, OUTPUTS, type SeenRecord, TRANSFERS, WINDOW_MS } from './judge.ts';

/** Ten transfers in two partitions, and all that is made of them: what the judge is told in tests. */

const TRANSFERS_MADE = Array.from({ length: 10 }, (_, i) => ({
  partition: i % 2,
  offset: i >> 1,
  timestamp: 3 * WINDOW_MS - 5 + i,
  from: i % 2 === 0 ? 'a' : 'b',
  to: ['c', 'e', 'd', 'a'][i % 4]!,
  amount: 10 + i,
}));

interface Made {
  readonly inputs: SeenRecord[];
  readonly outputs: Record<(typeof OUTPUTS)[number], SeenRecord[]>;
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

function make(): Made {
  const outputs: Made['outputs'] = { entries: [], ledger: [], balances: [], counts: [] };
  const balances = new Map<string, [balance: number, n: number]>();
  const counts = new Map<string, number>();
  const put = (topic: (typeof OUTPUTS)[number], timestamp: number, key: string, value: object): void => {
    const records = outputs[topic];
    records.push({
      topic,
      partition: 0,
      offset: records.length,
      timestamp,
      key,
      value: JSON.stringify(value),
    });
  };
  for (const { partition: P, offset: O, timestamp, from, to, amount } of TRANSFERS_MADE)
    for (const [ACCOUNT, AMOUNT] of [
      [from, -amount],
      [to, amount],
    ] as const) {
      put('entries', timestamp, hex(from), { P, O, E: { ACCOUNT, AMOUNT } });
      put('ledger', timestamp, hex(ACCOUNT), { AMOUNT, P, O });
      const [balance, n] = balances.get(ACCOUNT) ?? [0, 0];
      balances.set(ACCOUNT, [balance + AMOUNT, n + 1]);
      put('balances', timestamp, hex(ACCOUNT), { BALANCE: balance + AMOUNT, N: n + 1, P, O });
      const start = timestamp - (timestamp % WINDOW_MS);
      const window = Buffer.alloc(8);
      window.writeBigInt64BE(BigInt(start));
      const count = (counts.get(`${ACCOUNT}${start}`) ?? 0) + 1;
      counts.set(`${ACCOUNT}${start}`, count);
      put('counts', timestamp, hex(ACCOUNT) + window.toString('hex'), { N: count, P, O });
    }
  const inputs = TRANSFERS_MADE.map(({ partition, offset, timestamp, from, to, amount }) => ({
    topic: TRANSFERS,
    partition,
    offset,
    timestamp,
    key: hex(from),
    value: JSON.stringify({ N: offset, B: to, AMOUNT: amount }),
  }));
  return { inputs, outputs };
}

/** What the judge finds in it. */
function faultsOf({ inputs, outputs }: Made, isEarly = false): string[] {
  const faults: string[] = [];
  const judge = new Judge((what) => faults.push(what));
  const records = Object.values(outputs).flat();
  for (const record of isEarly ? [...records, ...inputs] : [...inputs, ...records]) judge.see(record);
  judge.finish();
  return faults;
}

const changed = (record: SeenRecord, change: object): SeenRecord => ({
  ...record,
  value: JSON.stringify({ ...(JSON.parse(record.value) as object), ...change }),
});

test('what is as it should be has no faults, in whatever order topics are seen', () => {
  expect(faultsOf(make())).toEqual([]);
  expect(faultsOf(make(), true)).toEqual([]);
});

test.for(OUTPUTS)('a record of %s that is missing, twice or out of order is a fault', (output) => {
  for (const [what, faulty] of [
    [/missing/, (records: SeenRecord[]) => records.toSpliced(7, 1)],
    [/missing/, (records: SeenRecord[]) => records.slice(0, -1)],
    [/again/, (records: SeenRecord[]) => [...records, { ...records[7]!, offset: 99 }]],
    [/seen again/, (records: SeenRecord[]) => [...records, records[7]!]],
    // Two transfers of one account and partition.
    [
      /out of order|too early/,
      (records: SeenRecord[]) =>
        records.with(0, { ...records[8]!, offset: 0 }).with(8, { ...records[0]!, offset: 8 }),
    ],
  ] as const) {
    const made = make();
    made.outputs[output] = faulty(made.outputs[output]);
    expect(faultsOf(made).join('\n')).toMatch(what);
  }
});

test('values are what the transfers make them', () => {
  for (const [output, change] of [
    ['entries', { E: { ACCOUNT: 'a', AMOUNT: 5 } }],
    ['ledger', { AMOUNT: 5 }],
    ['balances', { BALANCE: 5 }],
    ['balances', { N: 5 }],
    ['counts', { N: 9 }],
    ['ledger', { O: 77 }],
  ] as const) {
    const made = make();
    made.outputs[output][0] = changed(made.outputs[output][0]!, change);
    expect(faultsOf(made)).not.toEqual([]);
  }
  const made = make();
  made.inputs[9] = changed(made.inputs[9]!, { N: 3 });
  expect(faultsOf(made)[0]).toMatch('transfer 3 at offset 4');
});

test('tables are compared with the sums of the transfers', () => {
  const { inputs, outputs } = make();
  const faults: string[] = [];
  const judge = new Judge((what) => faults.push(what));
  for (const record of [...inputs, ...Object.values(outputs).flat()]) judge.see(record);
  const last = (records: readonly SeenRecord[]): SeenRecord[] => [
    ...new Map(records.map((record) => [record.key, record])).values(),
  ];
  const balances = last(outputs.balances).map(({ key, value }) => {
    const { BALANCE, N } = JSON.parse(value) as Record<string, number>;
    return [Buffer.from(key, 'hex').toString(), BALANCE, N];
  });
  const counts = last(outputs.counts).map(({ key, value }) => {
    const bytes = Buffer.from(key, 'hex');
    const { N } = JSON.parse(value) as Record<string, number>;
    return [bytes.toString('utf8', 0, 1), Number(bytes.readBigInt64BE(1)), N];
  });
  judge.judgeTables(balances, counts);
  expect(faults).toEqual([]);
  judge.judgeTables(balances.slice(1), [...counts, ['z', 0, 1]]);
  expect(faults).toHaveLength(2);
});
