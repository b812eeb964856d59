# What the optimizer makes of a query, as its plan says.
statement ok
CREATE STREAM EVENTS (ID INT KEY, KIND STRING, NOTE STRING, SIZE INT) WITH (KAFKA_TOPIC='events', VALUE_FORMAT='JSON', PARTITIONS=1);

statement ok
CREATE STREAM SIZES AS SELECT ID, SIZE FROM EVENTS WHERE SIZE > 2 * 5;
expect-rule fold-constants

produce events
1 {"KIND": "a", "NOTE": "x", "SIZE": 10}
2 {"KIND": "a", "NOTE": "x", "SIZE": 11}
expect SIZES
2 {"SIZE": 11}

explain
SELECT SIZE FROM EVENTS WHERE SIZE > 2 * 5 EMIT CHANGES;
----
output [SIZE]
  project [SIZE, ID]
    filter where SIZE > 10
      source EVENTS stream topic events reads [SIZE] skips 6
