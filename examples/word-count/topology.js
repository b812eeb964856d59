import { Serdes } from 'millrace/streams';
import { licenceLines } from '../data.js';

/** How often each word occurs, "the" left out. */
export const example = {
  inputTopics: { lines: 1 },
  outputTopics: { 'word-counts': 1 },
  *input() {
    for (const [i, value] of licenceLines().entries())
      yield { topic: 'lines', key: null, value, timestamp: i };
  },
  build(builder) {
    builder
      .stream('lines', { keySerde: Serdes.string, valueSerde: Serdes.string })
      .flatMapValues((line) => line.toLowerCase().split(' '))
      .filter((_key, word) => word !== 'the' && word !== '')
      .groupBy((_key, word) => word, { keySerde: Serdes.string, valueSerde: Serdes.string })
      .count()
      .mapValues((count) => ({ count }))
      .toStream()
      .to('word-counts', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
