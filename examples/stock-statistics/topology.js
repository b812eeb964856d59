import { Serdes, TimeWindows } from 'millrace/streams';
import { csv } from '../data.js';

/** Lowest price, number of trades and average price of each stock in windows of 5 seconds, one every second. */
export const example = {
  inputTopics: { trades: 1 },
  outputTopics: { 'stock-statistics': 1 },
  windowed: 8,
  *input() {
    for (const [i, { symbol, price }] of csv('stocks.csv').entries())
      yield { topic: 'trades', key: symbol, value: { price: Number(price) }, timestamp: 10_000 + i * 400 };
  },
  build(builder) {
    builder
      .stream('trades', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(5000).advanceBy(1000))
      .aggregate(
        () => ({ lowest: null, count: 0, sum: 0 }),
        (_symbol, { price }, { lowest, count, sum }) => ({
          lowest: lowest === null ? price : Math.min(lowest, price),
          count: count + 1,
          sum: sum + price,
        }),
        { valueSerde: Serdes.json() },
      )
      .mapValues(({ lowest, count, sum }) => ({ lowest, count, average: sum / count }))
      .toStream()
      .to('stock-statistics', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
