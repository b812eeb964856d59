----------------------------------------------------------------------------------------
--@test: the next record is compared
----------------------------------------------------------------------------------------
SET 'ksql.persistence.default.format.value' = 'JSON';
RUN SCRIPT '../../fixtures/declare-orders.sql';
CREATE STREAM LARGE AS SELECT * FROM ${orders} WHERE AMOUNT > 10;
INSERT INTO ORDERS VALUES (1, 5);
INSERT INTO ORDERS VALUES (2, 50);
ASSERT VALUES LARGE (ID, AMOUNT) VALUES (2, 50);

--@test: the first mistake ends the test
--@expected.error: ML_ASSERT
--@expected.message: amount is 5, not 6
RUN SCRIPT '../../fixtures/declare-orders.sql';
INSERT INTO ORDERS VALUES (1, 5);
ASSERT VALUES ORDERS (AMOUNT) VALUES (6);
DROP STREAM NOTHING;
