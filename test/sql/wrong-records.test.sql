# Records that cannot be read, evaluated or joined are told in the processing log, with and without the rules.
statement ok
CREATE STREAM ORDERS (ID INT KEY, REGION STRING, AMOUNT INT, PRICE DOUBLE, NOTE INT) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', PARTITIONS=1);

statement ok
CREATE TABLE REGIONS (ID STRING PRIMARY KEY, NAME STRING, SIZE INT) WITH (KAFKA_TOPIC='regions', VALUE_FORMAT='JSON', PARTITIONS=1);

produce regions
"eu" {"NAME": "Europe", "SIZE": 3} @1

statement ok
CREATE STREAM NAMED AS
  SELECT O.REGION, R.NAME, 10 / O.AMOUNT AS Q
  FROM ORDERS O JOIN REGIONS R ON O.REGION = R.ID
  WHERE O.AMOUNT > -1 AND 6 / O.AMOUNT > 1 AND CASE WHEN FALSE THEN O.PRICE > 1 ELSE TRUE END;

# The fourth is wrong in a column that only a branch reads which is never taken, the sixth in the row that a condition
# drops before another fails, the seventh meets no region, so that its condition is never evaluated; the last is wrong in
# a column that nobody reads, and cannot be read all the same.
produce orders
1 {"REGION": "eu", "AMOUNT": 2, "PRICE": 1} @10
2 {"REGION": "eu", "AMOUNT": 0, "PRICE": 1} @11
3 {"REGION": "eu", "AMOUNT": "?", "PRICE": 1} @12
4 {"REGION": "eu", "AMOUNT": 3, "PRICE": "?"} @13
5 {"REGION": null, "AMOUNT": 1, "PRICE": 1} @14
6 {"REGION": "eu", "AMOUNT": -5, "PRICE": 1} @15
7 {"REGION": "us", "AMOUNT": 0, "PRICE": 1} @16
8 {"REGION": "eu", "AMOUNT": 1, "PRICE": 1, "NOTE": "?"} @17

expect NAMED
"eu" {"NAME": "Europe", "Q": 5} @10

query
SELECT DETAIL FROM KSQL_PROCESSING_LOG WHERE REASON = 'deserialization' EMIT CHANGES LIMIT 3;
----
{"DETAIL":"field AMOUNT: expected INTEGER, found text \"?\""}
{"DETAIL":"field PRICE: expected DOUBLE, found text \"?\""}
{"DETAIL":"field NOTE: expected INTEGER, found text \"?\""}

query
SELECT REASON, DETAIL FROM KSQL_PROCESSING_LOG WHERE REASON <> 'deserialization' EMIT CHANGES LIMIT 2;
----
{"REASON":"null-key","DETAIL":"a join needs a key"}
{"REASON":"evaluation","DETAIL":"WHERE: division by zero"}
