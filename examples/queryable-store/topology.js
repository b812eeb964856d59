import { Serdes } from 'millrace/streams';
import { csv } from '../data.js';

const SECOND_MS = 1000;

/** How many months each stock was listed, kept in a store that is read from outside every second. */
export const example = {
  inputTopics: { prices: 1 },
  outputTopics: { 'months-listed': 1 },
  *input() {
    for (const [i, { symbol, price }] of csv('stocks.csv').entries())
      yield { topic: 'prices', key: symbol, value: { price: Number(price) }, timestamp: i };
  },
  build(builder) {
    builder
      .stream('prices', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .groupByKey()
      .count({ name: 'months', keySerde: Serdes.string })
      .mapValues((months) => ({ months }))
      .toStream()
      .to('months-listed', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
  /** Reads the store once a second, three times. */
  async watch(streams, print, seconds = 3) {
    for (let i = 0; i < seconds; i++) {
      print(await readMonths(streams));
      if (i + 1 < seconds) await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
    }
  },
};

/** The store as it is now. */
export async function readMonths(streams) {
  const rows = await streams.store('months', { kind: 'key-value', keySerde: Serdes.string }).all();
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}
