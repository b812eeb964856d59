/** Customers' addresses, one of which changes, and their orders; `partitionOf` says where a customer's address lies. */
export function* addressesAndOrders(partitionOf = () => 0) {
  const address = (customer, city, timestamp) => ({
    topic: 'addresses',
    partition: partitionOf(customer),
    key: customer,
    value: city === null ? null : { city },
    timestamp,
  });
  const order = (customer, item, timestamp) => ({
    topic: 'orders',
    key: customer,
    value: { item },
    timestamp,
  });
  yield address('ann', 'Lisbon', 0);
  yield address('bob', 'Oslo', 1);
  yield order('ann', 'lamp', 10);
  yield order('bob', 'chair', 20);
  yield order('eve', 'desk', 30);
  yield order('ann', 'rug', 50);
}
