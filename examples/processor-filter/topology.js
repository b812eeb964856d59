import { Serdes } from 'millrace/streams';
import { licenceLines } from '../data.js';

/** A processor of one's own: forwards the lines that speak of a licence, with their length. */
class LicenceLines {
  init(context) {
    this.context = context;
  }

  process({ key, value, timestamp }) {
    if (!value.includes('License')) return;
    this.context.forward({ key, value: { line: value, length: value.length }, timestamp });
  }
}

export const example = {
  inputTopics: { lines: 1 },
  outputTopics: { 'licence-lines': 1 },
  *input() {
    for (const [i, value] of licenceLines().entries())
      yield { topic: 'lines', key: null, value, timestamp: i };
  },
  build(builder) {
    builder
      .stream('lines', { keySerde: Serdes.string, valueSerde: Serdes.string })
      .process(() => new LicenceLines())
      .to('licence-lines', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
