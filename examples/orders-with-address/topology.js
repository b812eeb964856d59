import { Serdes } from 'millrace/streams';
import { addressesAndOrders } from './orders.js';

/** Each order gets its customer's address as it is at that moment; orders without one are dropped. */
export const example = {
  inputTopics: { addresses: 1, orders: 1 },
  outputTopics: { 'orders-with-address': 1 },
  input: () => addressesAndOrders(),
  build(builder) {
    const json = { keySerde: Serdes.string, valueSerde: Serdes.json() };
    const addresses = builder.table('addresses', json);
    builder
      .stream('orders', json)
      .join(addresses, ({ item }, { city }) => ({ item, city }))
      .to('orders-with-address', json);
  },
};
