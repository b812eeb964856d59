import { Serdes, TimeWindows } from 'millrace/streams';
import { csv } from '../data.js';

const DAY_MS = 86_400_000;
/** Hotter than this on average, and the machine wants looking at. */
const LIMIT = 28;

/** Four years of real temperatures stand for a machine's sensor; a hot week is a warning. */
export const example = {
  inputTopics: { readings: 1 },
  outputTopics: { warnings: 1 },
  windowed: 8,
  *input() {
    for (const { date, temp_max } of csv('seattle-weather.csv'))
      yield {
        topic: 'readings',
        key: 'pump-1',
        value: { celsius: Number(temp_max) },
        timestamp: Date.parse(`${date} UTC`),
      };
  },
  build(builder) {
    builder
      .stream('readings', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(7 * DAY_MS))
      .aggregate(
        () => ({ sum: 0, count: 0 }),
        (_machine, { celsius }, { sum, count }) => ({ sum: sum + celsius, count: count + 1 }),
        { valueSerde: Serdes.json() },
      )
      .filter((_machine, { sum, count }) => count >= 3 && sum / count > LIMIT)
      .mapValues(({ sum, count }) => ({ average: sum / count }))
      .toStream()
      .filter((_machine, warning) => warning !== null)
      .to('warnings', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
