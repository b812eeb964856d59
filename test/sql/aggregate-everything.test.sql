# A push query that aggregates without GROUP BY aggregates all rows; what is kept has to name its key.
statement ok
CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
produce s
1 {"V": 5}
2 {"V": 7}
3 {"V": 1}
query
SELECT COUNT(*) AS N, SUM(V) AS TOTAL FROM S WHERE V > 1 EMIT CHANGES LIMIT 2;
----
{"N":1,"TOTAL":5}
{"N":2,"TOTAL":12}
query
SELECT COUNT(*) + 1 AS N FROM S HAVING COUNT(*) = 3 EMIT CHANGES LIMIT 1;
----
{"N":4}
statement error ML_SCHEMA
SELECT K, COUNT(*) FROM S EMIT CHANGES;
statement error ML_SCHEMA: aggregate function COUNT needs GROUP BY
CREATE TABLE T AS SELECT COUNT(*) AS N FROM S;
