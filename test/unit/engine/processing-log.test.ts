import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

let engine: Engine;

beforeEach(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM RAW (K STRING KEY, LINE STRING) WITH (KAFKA_TOPIC='m', FORMAT='KAFKA', PARTITIONS=1);
     CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='m', FORMAT='JSON');
     CREATE STREAM Q AS SELECT K, 10 / V AS W FROM S;
     INSERT INTO RAW VALUES ('1', 'not json');
     INSERT INTO RAW VALUES ('one', '{"V":1}');
     INSERT INTO RAW VALUES ('1', '{"V":0}');`,
  );
});

afterEach(() => engine.close());

test('has the columns that programs for ksqlDB read, beside its own', async () => {
  const { rows } = await execute(
    engine,
    `SELECT LOGGER, LEVEL, TIME > 0, MESSAGE->TYPE AS TYPE,
       message->deserializationError->target AS T, message->deserializationError->errorMessage AS D,
       ENCODE(message->deserializationError->recordB64, 'base64', 'utf8') AS B,
       message->deserializationError->cause[1] AS C, message->deserializationError->\`topic\` AS TOPIC,
       message->recordProcessingError->errorMessage AS P, message->recordProcessingError->record AS R,
       message->productionError->errorMessage IS NULL, message->serializationError->\`topic\` IS NULL,
       message->kafkaStreamsThreadError->threadName IS NULL,
       REASON, DETAIL
     FROM KSQL_PROCESSING_LOG WHERE LOGGER LIKE 'processing.CSAS_Q_%' EMIT CHANGES LIMIT 3;`,
  );
  const [value, key, evaluation] = rows as readonly (readonly unknown[])[];
  const notJson = 'not JSON: unexpected "n" at character 1';
  const noNumber = 'key: not JSON: unexpected "o" at character 1';
  const rest = [true, true, true];
  const read = ['value', notJson, 'not json', notJson, 'm', null, null];
  const unread = ['key', noNumber, 'one', noNumber, 'm', null, null];
  const source = ['processing.CSAS_Q_0.source S', 'ERROR', true, 0];
  const keys = ['processing.CSAS_Q_0.rows S', 'ERROR', true, 0];
  expect(value).toEqual([...source, ...read, ...rest, 'deserialization', notJson]);
  expect(key).toEqual([...keys, ...unread, ...rest, 'deserialization', noNumber]);
  const byZero = 'W: division by zero';
  const row = ['ERROR', true, 1, null, null, null, null, null, byZero, '{"V":0}'];
  expect(evaluation!.slice(1)).toEqual([...row, ...rest, 'evaluation', byZero]);
});

test('a record that the log refuses is in it, without its bytes where they are too many', async () => {
  await execute(
    engine,
    `CREATE STREAM WIDE AS SELECT K, CONCAT(LINE, LPAD('', 1048576, 'x')) AS LINE FROM RAW;
     INSERT INTO RAW VALUES ('last', '{"V":2}');`,
  );
  await engine.drain();
  const wide = await execute(
    engine,
    `SELECT REASON, OFFSET, RECORD_TEXT, MESSAGE->TYPE, message->productionError->errorMessage AS E
     FROM KSQL_PROCESSING_LOG WHERE QUERY LIKE 'CSAS_WIDE%' EMIT CHANGES LIMIT 4;`,
  );
  expect(wide.rows).toHaveLength(4);
  expect(wide.rows[3]).toMatchObject([
    'production',
    3,
    '{"V":2}',
    2,
    expect.stringMatching(/max\.request\.size/),
  ]);
});

test('a record that is too large for it is told of without its bytes', async () => {
  engine.processingLog.add('BIG', {
    applicationId: 'app',
    taskId: '0_0',
    node: 'sink',
    reason: 'production',
    detail: 'a record is too large',
    unreadable: null,
    topic: 'm',
    partition: 0,
    offset: 9,
    timestamp: 0,
    key: Buffer.from('k'),
    value: Buffer.alloc(800_000, 'x'),
  });
  await engine.processingLog.flush();
  const { rows } = await execute(
    engine,
    `SELECT OFFSET, RECORD_TEXT, DETAIL FROM KSQL_PROCESSING_LOG WHERE QUERY = 'BIG' EMIT CHANGES LIMIT 1;`,
  );
  expect(rows).toEqual([
    [9, null, 'a record is too large (the record has 800001 bytes and is left out here)'],
  ]);
});
