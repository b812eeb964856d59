# What CREATE OR REPLACE may change, and what it says of the rest.
statement ok
CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM BIG AS SELECT K, V FROM S WHERE V > 10;
CREATE TABLE T AS SELECT K, SUM(V) AS N FROM S GROUP BY K;
# Columns may be added at the end; filters and projections may change.
statement ok
CREATE OR REPLACE STREAM S (K INT KEY, V INT, W STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE OR REPLACE STREAM BIG AS SELECT K, V, V * 2 AS TWICE FROM S WHERE V > 5;
produce s
1 {"V": 7, "W": "x"}
expect BIG
1 {"V": 7, "TWICE": 14}
statement error its key would change
CREATE OR REPLACE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
statement error its columns would change
CREATE OR REPLACE STREAM S (K INT KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
statement error its topic would change
CREATE OR REPLACE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s2', VALUE_FORMAT='JSON', PARTITIONS=1);
statement error its value format would change
CREATE OR REPLACE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='DELIMITED');
statement error whose state would be another: aggregate Aggregate-Aggregate-Materialize by [K] [SUM(V)] emit changes would become aggregate Aggregate-Aggregate-Materialize by [K] [MAX(V)] emit changes
CREATE OR REPLACE TABLE T AS SELECT K, MAX(V) AS N FROM S GROUP BY K;
statement error S is a stream and cannot be replaced
CREATE OR REPLACE TABLE S (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
statement error ML_NAME_TAKEN
CREATE STREAM S (K INT KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
statement ok
CREATE STREAM IF NOT EXISTS S (K INT KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
DROP STREAM IF EXISTS NOTHING;
DROP TYPE IF EXISTS NOTHING;
CREATE TYPE ADDRESS AS STRUCT<STREET STRING>;
CREATE TYPE IF NOT EXISTS ADDRESS AS INT;
PAUSE ALL;
RESUME ALL;
statement error ML_NAME_TAKEN: type ADDRESS exists already
CREATE TYPE ADDRESS AS INT;
statement error ML_IN_USE: S is used by
DROP STREAM S;
statement error BIG is a stream, not a table
DROP TABLE BIG;
statement ok
DROP STREAM BIG DELETE TOPIC;
ASSERT NOT EXISTS TOPIC BIG TIMEOUT 1 SECOND;
statement error ML_UNSUPPORTED: connectors are not managed here
SHOW CONNECTORS;
statement error ML_UNSUPPORTED: connectors are not managed here
CREATE SOURCE CONNECTOR c WITH ('a' = 'b');
statement error there is no query NOTHING
PAUSE NOTHING;
statement error ML_PROPERTY: there is no property
SET 'no.such.thing' = '1';
