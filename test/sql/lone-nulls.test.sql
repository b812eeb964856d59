# A null that stands alone: JSON and KAFKA write a record without a value, DELIMITED an empty line, whoever writes it.

statement ok
CREATE STREAM D (K INT KEY, V STRING) WITH (KAFKA_TOPIC='d', VALUE_FORMAT='DELIMITED', PARTITIONS=1);
CREATE STREAM J (K INT KEY, V STRING) WITH (KAFKA_TOPIC='j', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=FALSE, PARTITIONS=1);

statement ok
CREATE STREAM D2 AS SELECT K, V FROM D;
CREATE STREAM J2 WITH (WRAP_SINGLE_VALUE=FALSE) AS SELECT K, V FROM J;

statement ok
INSERT INTO D VALUES (1, NULL);
INSERT INTO J VALUES (1, NULL);

expect d
1 ""

expect D2
1 ""

expect j
1 null

expect J2
1 null
