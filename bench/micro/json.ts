/**
 * How fast the JSON format decodes and encodes orders of about 190 bytes, 4 wanted columns of 8.
 * `node scripts/run-ts.js bench/micro/json.ts`. Numbers are records per CPU second (so that a busy
 * machine measures too), the best of five rounds.
 */
import { ByteWriter } from '../../src/common/bytes.ts';
import { json } from '../../src/formats/json.ts';
import type { FormatSettings } from '../../src/formats/format.ts';
import type { Column } from '../../src/types/schema.ts';
import { BIGINT, DOUBLE, INTEGER, STRING } from '../../src/types/sql-type.ts';
import type { SqlValue } from '../../src/types/value.ts';

const COUNT = 200_000;
const ROUNDS = 5;

const columns: Column[] = [
  { name: 'ORDER_ID', type: BIGINT },
  { name: 'CUSTOMER_ID', type: STRING },
  { name: 'PRODUCT', type: STRING },
  { name: 'QUANTITY', type: INTEGER },
  { name: 'PRICE', type: DOUBLE },
  { name: 'STATUS', type: STRING },
  { name: 'CREATED_AT', type: BIGINT },
  { name: 'NOTE', type: STRING },
];
const settings: FormatSettings = { isKey: false, wrapped: true, properties: new Map() };

const writer = new ByteWriter(COUNT * 200);
const ends = new Int32Array(COUNT + 1);
const statuses = ['OPEN', 'PAID', 'SHIPPED', 'RETURNED'];
let seed = 42;
function next(bound: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed % bound;
}
for (let i = 0; i < COUNT; i++) {
  const order = {
    order_id: 1_000_000 + i,
    customer_id: `customer-${next(100_000)}`,
    product: `product-${next(500)}`,
    quantity: 1 + next(20),
    price: (100 + next(99_900)) / 100,
    status: statuses[next(4)],
    created_at: 1_700_000_000_000 + i,
    note: 'leave it at the back door, please',
  };
  writer.writeText(JSON.stringify(order));
  ends[i + 1] = writer.length;
}
const input = writer.toBytes();

function measure(name: string, run: () => number): void {
  let best = 0;
  let check = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    check = run();
    const spent = process.cpuUsage(start);
    const seconds = (spent.user + spent.system) / 1e6;
    best = Math.max(best, COUNT / seconds);
  }
  console.log(`${name.padEnd(44)} ${(best / 1e6).toFixed(2)} M records per CPU second  (${check})`);
}

console.log(`${COUNT} records of ${(input.length / COUNT).toFixed(0)} bytes, Node ${process.version}`);

measure('JSON.parse', () => {
  let sum = 0;
  for (let i = 0; i < COUNT; i++) {
    const order = JSON.parse(input.toString('latin1', ends[i]!, ends[i + 1]!)) as { quantity: number };
    sum += order.quantity;
  }
  return sum;
});

{
  const decoder = json.openDecoder(columns, settings, []);
  const row: SqlValue[] = [];
  measure('walk only, 0 of 8', () => {
    for (let i = 0; i < COUNT; i++) decoder.decode(input, ends[i]!, ends[i + 1]!, row);
    return 0;
  });
}

const wanted = [0, 2, 3, 4];
{
  const decoder = json.openDecoder(
    columns,
    settings,
    wanted.map((column, slot) => ({ column, slot, raw: -1 })),
  );
  const row: SqlValue[] = [null, null, null, null];
  measure('decode 4 of 8 (one string)', () => {
    let sum = 0;
    for (let i = 0; i < COUNT; i++) {
      decoder.decode(input, ends[i]!, ends[i + 1]!, row);
      sum += row[2] as number;
    }
    return sum;
  });
}
{
  const decoder = json.openDecoder(
    columns,
    settings,
    [1, 2, 4, 5].map((column, slot) => ({ column, slot, raw: -1 })),
  );
  const row: SqlValue[] = [null, null, null, null];
  measure('decode 4 of 8 (three strings, one distinct)', () => {
    let sum = 0;
    for (let i = 0; i < COUNT; i++) {
      decoder.decode(input, ends[i]!, ends[i + 1]!, row);
      sum += (row[0] as string).length;
    }
    return sum;
  });
}
{
  const decoder = json.openDecoder(
    columns,
    settings,
    columns.map((_, slot) => ({ column: slot, slot, raw: -1 })),
  );
  const row: SqlValue[] = columns.map(() => null);
  measure('decode 8 of 8', () => {
    let sum = 0;
    for (let i = 0; i < COUNT; i++) {
      decoder.decode(input, ends[i]!, ends[i + 1]!, row);
      sum += row[3] as number;
    }
    return sum;
  });
}
{
  const decoder = json.openDecoder(
    columns,
    settings,
    wanted.map((column, slot) => ({ column, slot, raw: -1 })),
  );
  const encoder = json.openEncoder(
    wanted.map((column) => columns[column]!),
    settings,
  );
  const row: SqlValue[] = [null, null, null, null];
  const slots = [0, 1, 2, 3];
  const out = new ByteWriter(1 << 20);
  measure('decode 4, encode 4 values', () => {
    let bytes = 0;
    for (let i = 0; i < COUNT; i++) {
      if (out.length > 1_000_000) out.length = 0;
      decoder.decode(input, ends[i]!, ends[i + 1]!, row);
      const before = out.length;
      encoder.encode(row, slots, out);
      bytes += out.length - before;
    }
    return bytes;
  });
}
{
  // Filter on QUANTITY, which is decoded; all four pass through as bytes.
  const decoder = json.openDecoder(
    columns,
    settings,
    wanted.map((column, raw) => ({ column, slot: column === 3 ? 0 : -1, raw })),
  );
  const encoder = json.openEncoder(
    wanted.map((column) => columns[column]!),
    settings,
  );
  const write = encoder.withRaw!(decoder, [0, 1, 2, 3])!;
  const row: SqlValue[] = [null];
  const slots = [-1, -1, 0, -1];
  const out = new ByteWriter(1 << 20);
  measure('decode 1, encode 4 with raw ranges', () => {
    let bytes = 0;
    for (let i = 0; i < COUNT; i++) {
      if (out.length > 1_000_000) out.length = 0;
      decoder.decode(input, ends[i]!, ends[i + 1]!, row);
      const before = out.length;
      write(row, slots, input, out);
      bytes += out.length - before;
    }
    return bytes;
  });
}
