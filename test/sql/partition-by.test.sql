# PARTITION BY changes the key where the rows are; a key of several columns keeps its nulls; a record without a value
# has no column to be partitioned by.
statement ok
CREATE STREAM PEOPLE (ID INT KEY, NAME STRING, AGE INT) WITH (KAFKA_TOPIC='people', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM BY_NAME AS SELECT * FROM PEOPLE PARTITION BY NAME;
expect-rule repartition-in-place
statement ok
CREATE STREAM BY_BOTH WITH (KEY_FORMAT='JSON') AS SELECT * FROM PEOPLE PARTITION BY NAME, AGE;
CREATE STREAM BY_TEST WITH (KEY_FORMAT='JSON') AS SELECT * FROM PEOPLE PARTITION BY NAME IS NULL;
CREATE STREAM BY_KEY AS SELECT ID + 1 AS NEXT, NAME FROM PEOPLE PARTITION BY ID + 1;

produce people
1 {"NAME": "ann", "AGE": 5}
2 {"NAME": null, "AGE": 6}
3 {}
4 null

expect BY_NAME
"ann" {"ID": 1, "AGE": 5}
null {"ID": 2, "AGE": 6}
null {"ID": 3, "AGE": null}
null null

expect BY_BOTH
{"NAME": "ann", "AGE": 5} {"ID": 1}
{"NAME": null, "AGE": 6} {"ID": 2}
{"NAME": null, "AGE": null} {"ID": 3}
{"NAME": null, "AGE": null} null

expect BY_TEST
false {"ID": 1, "NAME": "ann", "AGE": 5}
true {"ID": 2, "NAME": null, "AGE": 6}
true {"ID": 3, "NAME": null, "AGE": null}
null null

expect BY_KEY
2 {"NAME": "ann"}
3 {"NAME": null}
4 {"NAME": null}
5 null
