import { systemClock } from '../../src/common/clock.ts';
import { decodeBatches } from '../../src/log/record-batch-codec.ts';
import { writeInt64 } from '../../src/log/record-batch-header.ts';
import { SlabAppender } from '../../src/log/slab-appender.ts';

/** Rates of the batch codec over records of about 190 bytes, in millions of records a second. */

const RECORDS = 500_000;
const ROUNDS = 8;

const key = Buffer.from('customer-00012345');
const value = Buffer.from(
  JSON.stringify({
    order_id: 123456789,
    customer: 'customer-00012345',
    item: 'blue widget, large',
    quantity: 3,
    price: 19.99,
    currency: 'EUR',
    placed_at: 1_700_000_000_000,
    note: 'x'.repeat(20),
  }),
);

function encode(appender: SlabAppender): Buffer[] {
  for (let i = 0; i < RECORDS; i++)
    appender.append(1_700_000_000_000 + i, key, 0, key.length, value, 0, value.length, null);
  const sealed = appender.take();
  let base = 0;
  for (const batch of sealed) {
    writeInt64(batch.bytes, 0, base);
    base += batch.recordCount;
  }
  const bytes = sealed.map((batch) => batch.bytes);
  for (const batch of sealed) appender.release(batch);
  return bytes;
}

function best(name: string, run: () => void): void {
  let rate = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = systemClock.monotonic();
    run();
    rate = Math.max(rate, RECORDS / (systemClock.monotonic() - start) / 1000);
  }
  console.log(`${name.padEnd(36)} ${rate.toFixed(1)} M records/s`);
}

const whole = Buffer.concat(encode(new SlabAppender({ topic: 't', partition: 0 })));
console.log(`${Math.round(whole.length / RECORDS)} bytes a record, best of ${ROUNDS} rounds`);
const appender = new SlabAppender({ topic: 't', partition: 0 });
best('append, seal and CRC', () => {
  encode(appender);
});
for (const checkCrc of [false, true])
  best(checkCrc ? 'decode with CRC' : 'decode, index only', () => {
    const { nextOffset } = decodeBatches('t', 0, whole, 0, whole.length, 0, { checkCrc });
    if (nextOffset !== RECORDS) throw new Error(`decoded ${nextOffset} records`);
  });
