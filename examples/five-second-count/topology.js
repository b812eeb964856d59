import { Serdes, TimeWindows } from 'millrace/streams';
import { csv } from '../data.js';

/** How many price ticks each stock has in every five seconds. */
export const example = {
  inputTopics: { ticks: 1 },
  outputTopics: { 'ticks-per-window': 1 },
  windowed: 8,
  *input() {
    const prices = csv('stocks.csv');
    for (const [i, { symbol, price }] of prices.entries())
      yield { topic: 'ticks', key: symbol, value: { price: Number(price) }, timestamp: i * 700 };
  },
  build(builder) {
    builder
      .stream('ticks', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(5000))
      .count()
      .mapValues((count) => ({ count }))
      .toStream()
      .to('ticks-per-window', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
