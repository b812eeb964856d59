# CREATE SOURCE TABLE keeps the rows of a topic that others write, so that they can be asked for.
statement ok
CREATE STREAM FEED (ID INT KEY, NAME STRING, TAG BYTES HEADER('tag')) WITH (KAFKA_TOPIC='people', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE SOURCE TABLE PEOPLE (ID INT PRIMARY KEY, NAME STRING, AGE INT) WITH (KAFKA_TOPIC='people', VALUE_FORMAT='JSON');
produce people
1 {"NAME": "ann", "AGE": 30} @5
2 {"NAME": "bob"} @6
1 {"NAME": "anne", "AGE": 31} @7
3 {"NAME": "cid"} @8
3 null @9
query
SELECT * FROM PEOPLE;
----
{"ID":1,"NAME":"anne","AGE":31}
{"ID":2,"NAME":"bob","AGE":null}
query
SELECT NAME, ROWTIME FROM PEOPLE WHERE ID = 1 AND AGE > 30;
----
{"NAME":"anne","ROWTIME":7}
query
SELECT ID FROM PEOPLE WHERE ID IN (2, 3);
----
{"ID":2}
statement error ML_UNSUPPORTED: PEOPLE is read-only
INSERT INTO PEOPLE VALUES (4, 'dan', 1);
statement error ML_UNSUPPORTED
ALTER TABLE PEOPLE ADD COLUMN X INT;
statement error ML_IN_USE: query CST_PEOPLE_0 keeps the rows of PEOPLE
TERMINATE CST_PEOPLE_0;
statement error ML_UNSUPPORTED: PEOPLE is a SOURCE table
DROP TABLE PEOPLE DELETE TOPIC;
# It lives as long as its table, whatever else ends.
statement ok
TERMINATE ALL;
EXPLAIN CST_PEOPLE_0;
query
SELECT NAME FROM PEOPLE WHERE ID = 2;
----
{"NAME":"bob"}
statement ok
CREATE TABLE NAMES AS SELECT NAME, COUNT(*) N FROM PEOPLE GROUP BY NAME;
statement error ML_IN_USE: PEOPLE is used by CTAS_NAMES_1
DROP TABLE PEOPLE;
statement ok
DROP TABLE NAMES;
DROP TABLE PEOPLE;
statement error ML_NAME_UNKNOWN
EXPLAIN CST_PEOPLE_0;
# Switched off, the table is there and its rows are not kept.
statement ok
SET 'ksql.source.table.materialization.enabled' = 'false';
CREATE SOURCE TABLE PEOPLE (ID INT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='people', VALUE_FORMAT='JSON');
statement error ML_UNSUPPORTED: no query keeps the rows of PEOPLE
SELECT * FROM PEOPLE;
