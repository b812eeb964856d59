import { Serdes } from 'millrace/streams';
import { licenceLines } from '../data.js';

/** Lines of text that are longer than five characters. */
export const example = {
  inputTopics: { lines: 1 },
  outputTopics: { 'long-lines': 1 },
  *input() {
    for (const [i, value] of licenceLines().entries())
      yield { topic: 'lines', key: null, value, timestamp: i };
  },
  build(builder) {
    builder
      .stream('lines', { keySerde: Serdes.string, valueSerde: Serdes.string })
      .filter((_key, line) => line.length > 5)
      .to('long-lines', { keySerde: Serdes.string, valueSerde: Serdes.string });
  },
};
