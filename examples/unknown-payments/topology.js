import { Serdes } from 'millrace/streams';

const payments = [
  ['unknown', 'unknown', 12.5],
  ['paypal', 'ann', 80],
  ['card', 'bob', 19.99],
  ['unknown', 'carol', 240],
  ['card', 'ann', 5],
  ['unknown', 'dave', 0.99],
];

/** Payments whose method nobody knows go to a topic of their own. */
export const example = {
  inputTopics: { payments: 2 },
  outputTopics: { 'unknown-payment': 1 },
  *input() {
    for (const [i, [key, user, amount]] of payments.entries())
      yield {
        topic: 'payments',
        partition: key === 'card' ? 1 : 0,
        key,
        value: { user, amount },
        timestamp: 1000 * i,
      };
  },
  build(builder) {
    builder
      .stream('payments', { keySerde: Serdes.string, valueSerde: Serdes.json() })
      .filter((key) => key === 'unknown')
      .to('unknown-payment', { keySerde: Serdes.string, valueSerde: Serdes.json() });
  },
};
