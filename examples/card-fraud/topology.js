import { Serdes, SlidingWindows } from 'millrace/streams';

const SECOND_MS = 1000;
const payments = [
  ['4711', 20, 0],
  ['0815', 35, 5],
  ['4711', 900, 12],
  ['4711', 450, 20],
  ['0815', 12, 130],
  ['4711', 700, 31],
  ['4711', 15, 400],
  ['0815', 80, 410],
].sort((a, b) => a[2] - b[2]);

/** A card that is used more than three times, or for more than 1,500, within any minute. */
export const example = {
  inputTopics: { payments: 1 },
  outputTopics: { 'fraud-alerts': 1 },
  windowed: 8,
  *input() {
    for (const [card, amount, second] of payments)
      yield { topic: 'payments', key: card, value: { amount }, timestamp: 100_000 + second * SECOND_MS };
  },
  build(builder) {
    builder
      .stream('payments', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .groupByKey()
      .windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(60 * SECOND_MS))
      .aggregate(
        () => ({ count: 0, sum: 0 }),
        (_card, { amount }, { count, sum }) => ({ count: count + 1, sum: sum + amount }),
        { valueSerde: Serdes.json() },
      )
      .toStream()
      .filter((_card, { count, sum }) => count > 3 || sum > 1500)
      .to('fraud-alerts', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
