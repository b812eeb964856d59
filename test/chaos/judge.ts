/** Where transfers go in, and what each query makes of them. `statements` says how. */
export const TRANSFERS = 'transfers';
export const OUTPUTS = ['entries', 'ledger', 'balances', 'counts'] as const;
export const PARTITIONS = 3;
export const WINDOW_MS = 10_000;

type Output = (typeof OUTPUTS)[number];

export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  /** In hex. */
  readonly key: string;
  readonly value: string;
}

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly timestamp: number;
}

/** What a record of an output says of the entry it was made from: `P` and `O` are its transfer's partition and offset. */
interface OutputValue {
  readonly P: number;
  readonly O: number;
  readonly E?: { readonly ACCOUNT: string; readonly AMOUNT: number };
  readonly AMOUNT?: number;
  readonly BALANCE?: number;
  readonly N?: number;
}

/** One output of all there are, as far as it was seen. */
interface Progress {
  /** How many entries of an account were seen, by `account of partition`. */
  readonly seen: Map<string, number>;
  entries: number;
}

/**
 * Says of records, as they are seen, whether they are what transfers make.
 *
 * Each transfer is two entries, of the account that pays and of the one that is paid. The entries that come of one partition of the
 * transfers and concern one account keep their order on each way through the queries, so each output must name exactly
 * them, in that order, none left out and none twice. A balance must be what it was before, and the amount of the entry that it
 * names: then it is, at each of its changes, the sum of a prefix of the account's entries; counts are alike.
 */
export class Judge {
  readonly #fault: (what: string) => void;
  readonly #transfers: Transfer[][] = Array.from({ length: PARTITIONS }, () => []);
  /** Offsets of the transfers that concern an account, by `account of partition`. */
  readonly #concerned = new Map<string, number[]>();
  readonly #progress = new Map<Output, Progress>(
    OUTPUTS.map((output) => [output, { seen: new Map(), entries: 0 }]),
  );
  readonly #balances = new Map<string, { balance: number; n: number }>();
  readonly #counts = new Map<string, number>();
  /** Records of an output's partition that came before the transfers they were made from. */
  readonly #early = new Map<string, { readonly records: SeenRecord[]; next: number }>();
  /** The next offset of a partition, at least. */
  readonly #next = new Map<string, number>();

  constructor(fault: (what: string) => void) {
    this.#fault = fault;
  }

  /** Transfers that were seen. */
  get transfers(): number {
    return this.#transfers.reduce((sum, { length }) => sum + length, 0);
  }

  /** Entries that were seen in each output; all are there when each is twice the transfers. */
  get entries(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#progress].map(([output, { entries }]) => [output, entries]));
  }

  see(record: SeenRecord): void {
    const { topic, partition, offset } = record;
    const place = `${topic}-${partition}`;
    if (offset < (this.#next.get(place) ?? 0)) this.#fault(`${place}: offset ${offset} is seen again`);
    this.#next.set(place, offset + 1);
    if (topic === TRANSFERS) return this.#takeIn(record);
    const early = this.#early.get(place) ?? { records: [], next: 0 };
    this.#early.set(place, early);
    early.records.push(record);
    this.#settle(topic as Output, early);
  }

  /** What must be once nothing comes any more: all entries in all outputs. */
  finish(): void {
    for (const output of OUTPUTS) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const early = this.#early.get(`${output}-${partition}`);
        if (early === undefined) continue;
        this.#settle(output, early);
        for (const record of early.records.slice(early.next))
          this.#fault(`${tell(record)}: its transfer is not there`);
      }
      const { seen, entries } = this.#progress.get(output)!;
      for (const [concern, offsets] of this.#concerned) {
        const count = seen.get(concern) ?? 0;
        if (count < offsets.length)
          this.#fault(
            `${output}: ${offsets.length - count} of ${offsets.length} entries of ${concern} are missing, from transfer ${offsets[count]} on`,
          );
      }
      if (entries !== 2 * this.transfers)
        this.#fault(`${output}: ${entries} entries of ${this.transfers} transfers`);
    }
    let sum = 0;
    for (const { balance } of this.#balances.values()) sum += balance;
    if (sum !== 0) this.#fault(`the balances are ${sum} in sum, and not 0`);
  }

  /** Compares the rows of pull queries, [account, balance, n] and [account, window start, n], with sums of the transfers alone. */
  judgeTables(balances: readonly (readonly unknown[])[], counts: readonly (readonly unknown[])[]): void {
    const sums = new Map<string, [balance: number, n: number]>();
    const windows = new Map<string, number>();
    const add = (account: string, amount: number, timestamp: number): void => {
      const [balance, n] = sums.get(account) ?? [0, 0];
      sums.set(account, [balance + amount, n + 1]);
      const window = `${account},${windowOf(timestamp)}`;
      windows.set(window, (windows.get(window) ?? 0) + 1);
    };
    for (const transfers of this.#transfers)
      for (const { from, to, amount, timestamp } of transfers) {
        add(from, -amount, timestamp);
        add(to, amount, timestamp);
      }
    this.#compare('BALANCES', balances, new Map([...sums].map(([key, each]) => [key, String(each)])));
    this.#compare(
      'COUNTS',
      counts.map(([account, start, n]) => [`${String(account)},${String(start)}`, n]),
      new Map([...windows].map(([key, n]) => [key, String(n)])),
    );
  }

  #compare(
    table: string,
    rows: readonly (readonly unknown[])[],
    expected: ReadonlyMap<string, string>,
  ): void {
    const there = new Map(rows.map(([key, ...rest]) => [String(key), String(rest)]));
    for (const [key, value] of expected)
      if (there.get(key) !== value)
        this.#fault(
          `${table}: a pull query has ${there.get(key)} for ${key}, and the transfers say ${value}`,
        );
    for (const key of there.keys())
      if (!expected.has(key)) this.#fault(`${table}: a pull query has ${key}, which no transfer names`);
    if (there.size !== rows.length) this.#fault(`${table}: a pull query has rows twice`);
  }

  #takeIn({ partition, offset, timestamp, key, value }: SeenRecord): void {
    const { N, B, AMOUNT } = JSON.parse(value) as { N: number; B: string; AMOUNT: number };
    const from = Buffer.from(key, 'hex').toString();
    const transfers = this.#transfers[partition]!;
    if (offset !== transfers.length || N !== offset)
      this.#fault(`${TRANSFERS}-${partition}: transfer ${N} at offset ${offset}, after ${transfers.length}`);
    transfers.push({ from, to: B, amount: AMOUNT, timestamp });
    for (const account of [from, B]) {
      const concern = `${account} of ${partition}`;
      const offsets = this.#concerned.get(concern);
      if (offsets === undefined) this.#concerned.set(concern, [offset]);
      else offsets.push(offset);
    }
  }

  #settle(output: Output, early: { readonly records: SeenRecord[]; next: number }): void {
    const { records } = early;
    while (early.next < records.length) {
      const record = records[early.next]!;
      const value = JSON.parse(record.value) as OutputValue;
      const transfer = this.#transfers[value.P]?.[value.O];
      if (transfer === undefined) break;
      early.next++;
      this.#judge(output, record, value, transfer);
    }
    if (early.next === records.length) {
      records.length = 0;
      early.next = 0;
    }
  }

  #judge(output: Output, record: SeenRecord, value: OutputValue, transfer: Transfer): void {
    const bytes = Buffer.from(record.key, 'hex');
    const account =
      value.E?.ACCOUNT ?? bytes.toString('utf8', 0, output === 'counts' ? bytes.length - 8 : bytes.length);
    const concern = `${account} of ${value.P}`;
    const { seen } = this.#progress.get(output)!;
    const count = seen.get(concern) ?? 0;
    const expected = this.#concerned.get(concern)?.[count];
    if (expected !== value.O) {
      const what =
        expected === undefined || value.O < expected
          ? 'is there again, or out of order'
          : 'is there too early, or some are missing';
      this.#fault(
        `${tell(record)}: the entry of ${account} in transfer ${value.P}/${value.O} ${what}; ${expected} is the next`,
      );
      return;
    }
    seen.set(concern, count + 1);
    this.#progress.get(output)!.entries++;
    const amount = account === transfer.from ? -transfer.amount : transfer.amount;
    if (output === 'entries' && value.E!.AMOUNT !== amount) this.#wrong(record, 'amount', amount);
    if (output === 'ledger' && value.AMOUNT !== amount) this.#wrong(record, 'amount', amount);
    if (record.timestamp !== transfer.timestamp && output !== 'balances' && output !== 'counts')
      this.#wrong(record, 'time', transfer.timestamp);
    if (output === 'balances') {
      const before = this.#balances.get(account) ?? { balance: 0, n: 0 };
      const after = { balance: before.balance + amount, n: before.n + 1 };
      this.#balances.set(account, { balance: value.BALANCE!, n: value.N! });
      if (value.BALANCE !== after.balance || value.N !== after.n)
        this.#wrong(record, 'balance', `${after.balance} of ${after.n}`);
    }
    if (output === 'counts') {
      const start = Number(bytes.readBigInt64BE(bytes.length - 8));
      if (start !== windowOf(transfer.timestamp)) this.#wrong(record, 'window', transfer.timestamp);
      const window = `${account} at ${start}`;
      const n = (this.#counts.get(window) ?? 0) + 1;
      this.#counts.set(window, value.N!);
      if (value.N !== n) this.#wrong(record, 'count', n);
    }
  }

  #wrong(record: SeenRecord, what: string, expected: number | string): void {
    this.#fault(
      `${tell(record)}: its ${what} is ${record.value} at ${record.timestamp}, and not ${expected}`,
    );
  }
}

function windowOf(timestamp: number): number {
  return timestamp - (timestamp % WINDOW_MS);
}

function tell({ topic, partition, offset, key, value }: SeenRecord): string {
  return `${topic}-${partition} at ${offset} (${Buffer.from(key, 'hex').toString('latin1')} ${value})`;
}
