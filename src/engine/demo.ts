import type { Clock, Random } from '../common/clock.ts';
import type { Log } from '../log/log.ts';

/** The demo's topic keeps this much, so that a REPL left open over night stays small. */
const RETENTION_BYTES = 16 * 1024 * 1024;
const INTERVAL_MS = 100;
const TOPIC = 'demo_trades';

/** Declares the stream that `startDemo` feeds. */
export const DEMO_STATEMENT =
  'CREATE STREAM IF NOT EXISTS TRADES (SYMBOL STRING KEY, SIDE STRING, PRICE DOUBLE, SHARES INTEGER) ' +
  `WITH (KAFKA_TOPIC='${TOPIC}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);`;

/** Opening prices; each symbol then walks on its own. */
const SYMBOLS: readonly (readonly [symbol: string, price: number])[] = [
  ['ACME', 120.5],
  ['GLOBEX', 48.2],
  ['INITECH', 12.75],
  ['UMBRELLA', 310],
  ['WAYNE', 87.4],
];

/**
 * Feeds the demo stream: a few trades at once, so that the first query shows rows, then one every tenth of a
 * second. Returns what stops it.
 */
export async function startDemo(log: Log, clock: Clock, random: Random): Promise<() => Promise<void>> {
  await log.admin.createTopic({
    name: TOPIC,
    partitions: 1,
    configs: { 'retention.bytes': String(RETENTION_BYTES) },
  });
  const writer = await log.openWriter();
  const prices = new Map(SYMBOLS);
  let stopped = false;
  let cancel = (): void => undefined;
  let writing: Promise<void> = Promise.resolve();

  const append = (timestamp: number): void => {
    const [symbol] = SYMBOLS[Math.floor(random() * SYMBOLS.length)]!;
    const price = Math.max(1, (prices.get(symbol) ?? 1) * (1 + (random() - 0.5) / 50));
    prices.set(symbol, price);
    const key = Buffer.from(symbol);
    const value = Buffer.from(
      JSON.stringify({
        SIDE: random() < 0.5 ? 'BUY' : 'SELL',
        PRICE: Math.round(price * 100) / 100,
        SHARES: 10 * (1 + Math.floor(random() * 50)),
      }),
    );
    writer
      .appender({ topic: TOPIC, partition: 0 })
      .append(timestamp, key, 0, key.length, value, 0, value.length, null);
  };
  const tick = (): void => {
    append(clock.now());
    writing = writer.flush().catch(() => undefined);
    if (!stopped) cancel = clock.setTimer(INTERVAL_MS, tick);
  };

  const now = clock.now();
  for (let i = 10; i > 0; i--) append(now - i * INTERVAL_MS);
  await writer.flush();
  cancel = clock.setTimer(INTERVAL_MS, tick);
  return async () => {
    stopped = true;
    cancel();
    await writing;
    await writer.close();
  };
}
