import { Serdes } from 'millrace/streams';
import { addressesAndOrders } from '../orders-with-address/orders.js';

/**
 * The same join with a global table: its topic has two partitions and the orders one, which no other join allows,
 * because every task has the whole table.
 */
export const example = {
  inputTopics: { addresses: 2, orders: 1 },
  outputTopics: { 'orders-with-address': 1 },
  input: () => addressesAndOrders((customer) => (customer === 'bob' ? 1 : 0)),
  build(builder) {
    const json = { keySerde: Serdes.string, valueSerde: Serdes.json() };
    const addresses = builder.globalTable('addresses', json);
    builder
      .stream('orders', json)
      .join(
        addresses,
        (customer) => customer,
        ({ item }, { city }) => ({ item, city }),
      )
      .to('orders-with-address', json);
  },
};
