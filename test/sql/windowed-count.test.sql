# Counts by key and window: every change goes out, and the table is asked afterwards.
statement ok
CREATE STREAM CLICKS (USER_ID STRING KEY, PAGE STRING) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);

statement ok
CREATE TABLE VISITS AS
  SELECT USER_ID, COUNT(*) AS N FROM CLICKS WINDOW TUMBLING (SIZE 10 SECONDS) WHERE PAGE <> 'health' GROUP BY USER_ID;

produce clicks
"ann" {"PAGE": "home"} @1000
"ann" {"PAGE": "health"} @1500
"bob" {"PAGE": "home"} @2000
"ann" {"PAGE": "shop"} @9999
"ann" {"PAGE": "home"} @10000

expect VISITS
"ann" [0..10000] {"N": 1} @1000
"bob" [0..10000] {"N": 1} @2000
"ann" [0..10000] {"N": 2} @9999
"ann" [10000..20000] {"N": 1} @10000

query
SELECT USER_ID, WINDOWSTART, N FROM VISITS WHERE USER_ID = 'ann';
----
{"USER_ID":"ann","WINDOWSTART":0,"N":2}
{"USER_ID":"ann","WINDOWSTART":10000,"N":1}

statement error ML_NAME_UNKNOWN
SELECT PAGES FROM CLICKS EMIT CHANGES;

query
SELECT PAGE FROM CLICKS EMIT CHANGES LIMIT 2;
----
{"PAGE":"home"}
{"PAGE":"health"}
