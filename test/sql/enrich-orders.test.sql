# A stream of orders joined to the table of customers as it is at that moment, over several partitions.
statement ok
CREATE TABLE CUSTOMERS (ID INT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='customers', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE STREAM ORDERS (ID INT KEY, CUSTOMER INT, AMOUNT DECIMAL(8, 2)) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', PARTITIONS=2);

statement ok
CREATE STREAM NAMED WITH (PARTITIONS=1) AS
  SELECT C.ID AS CUSTOMER, O.ID AS ORDER_ID, NAME, AMOUNT * 2 AS TWICE FROM ORDERS O JOIN CUSTOMERS C ON O.CUSTOMER = C.ID;

produce customers
1 {"NAME": "ann"}
2 {"NAME": "bob"}
expect customers
1 {"NAME": "ann"}
2 {"NAME": "bob"}

produce orders
7 {"CUSTOMER": 1, "AMOUNT": 10.50} @5
expect NAMED
1 {"ORDER_ID": 7, "NAME": "ann", "TWICE": 21.00} @5

produce orders
8 {"CUSTOMER": 3, "AMOUNT": 1} @6
9 {"CUSTOMER": 2, "AMOUNT": null} @7
expect NAMED
2 {"ORDER_ID": 9, "NAME": "bob", "TWICE": null} @7
