import { Serdes } from 'millrace/streams';

const MINUTE_MS = 60_000;
/** Calls that come at intervals this regular, this often, are made by a program. */
const JITTER_MS = 2000;
const CALLS = 5;

/** Remembers when each host last called each address, and for how many calls the interval has stayed the same. */
class BeaconDetector {
  init(context) {
    this.context = context;
    this.calls = context.getStateStore('calls');
  }

  process({ key, value, timestamp }) {
    const call = `${key} ${value.address}`;
    const last = this.calls.get(call);
    const intervalMs = last === null || last === undefined ? 0 : timestamp - last.timestamp;
    const regular = intervalMs > 0 && Math.abs(intervalMs - last.intervalMs) <= JITTER_MS;
    const count = regular ? last.count + 1 : 1;
    this.calls.put(call, { timestamp, intervalMs: regular ? last.intervalMs : intervalMs, count }, timestamp);
    if (count === CALLS)
      this.context.forward({ key, value: { address: value.address, intervalMs, count }, timestamp });
  }
}

/** Hosts that call the same address at regular intervals: a person does not, malware waiting for orders does. */
export const example = {
  inputTopics: { 'outbound-calls': 1 },
  outputTopics: { beacons: 1 },
  *input() {
    const calls = [];
    const jitter = [0, 300, -400, 200, 500, -200, 0, 300];
    for (let i = 0; i < 8; i++) calls.push(['host-7', '203.0.113.9', i * 5 * MINUTE_MS + jitter[i]]);
    for (const [i, minute] of [1, 2, 9, 11, 30, 31, 38].entries())
      calls.push(['host-3', i % 2 === 0 ? '198.51.100.4' : '192.0.2.1', minute * MINUTE_MS]);
    for (const [key, address, timestamp] of calls.sort((a, b) => a[2] - b[2]))
      yield { topic: 'outbound-calls', key, value: { address }, timestamp: MINUTE_MS + timestamp };
  },
  build(builder) {
    builder
      .addStateStore({ name: 'calls', kind: 'key-value', keySerde: Serdes.string, valueSerde: Serdes.json() })
      .stream('outbound-calls', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .process(() => new BeaconDetector(), { stores: ['calls'] })
      .to('beacons', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
