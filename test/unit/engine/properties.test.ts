import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeRange, readWholeNumber } from '../../../src/common/whole-number.ts';
import { checkProperty } from '../../../src/engine/check-property.ts';
import { PROPERTIES, propertyValue } from '../../../src/engine/properties.ts';
import { applicationIdOf, streamsOptions } from '../../../src/engine/query-application.ts';
import { newSession } from '../../../src/engine/session.ts';
import { parseStatementRequest } from '../../../src/server/request-body.ts';
import { openSession } from '../../../src/cli/commands/open-session.ts';
import type { StreamsOptions } from '../../../src/streams/instance/streams-options.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** What no number, truth or word of any property is. */
const HOSTILE = [
  '',
  ' ',
  '1e3',
  '0x10',
  '٣',
  '1_000',
  'NaN',
  'Infinity',
  '1.5',
  '+5',
  'true ',
  ' false',
  'yes',
  '99999999999999999999',
  '9'.repeat(100_000),
  '-9007199254740993',
  '1\u0000',
  '1\n2',
  '10 ',
  "'1'",
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
];

/** Of these, some of the hostile texts are values. */
const FREE = ['ksql.output.topic.name.prefix', 'ksql.hidden.topics', 'ksql.readonly.topics'];
const typed = PROPERTIES.filter(({ name }) => !FREE.includes(name));

test.each(typed)(
  '$name refuses hostile values everywhere alike, and says what it takes',
  async (property) => {
    const { name } = property;
    const engine = await openEngine();
    const refusal = { code: 'ML_PROPERTY', message: expect.stringContaining(`'${name}' `) as string };
    for (const value of HOSTILE) {
      const session = newSession();
      const quoted = `'${value.replaceAll("'", "''")}'`;
      if (property.atStartOnly !== true)
        expect(() => checkProperty(name, value, 'statement')).toThrow('must be');
      await expect(execute(engine, `SET '${name}' = ${quoted};`, session)).rejects.toMatchObject(refusal);
      await expect(execute(engine, `ALTER SYSTEM '${name}' = ${quoted};`)).rejects.toMatchObject(refusal);
      await expect(openSession([`${name}=${value}`])).rejects.toThrow('must be');
      const request = JSON.stringify({ ksql: 'SHOW STREAMS;', streamsProperties: { [name]: value } });
      expect(() => parseStatementRequest(request)).toThrow(expect.objectContaining({ code: 40000 }) as Error);
      expect(session.properties.size + engine.systemProperties.size).toBe(0);
    }
    const { message } = caught(() => checkProperty(name, '9'.repeat(100_000), 'start'));
    expect(message).toContain(property.value.description);
    expect(message.length).toBeLessThan(300);
    await engine.close();
  },
);

function caught(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not throw');
}

test.each([
  ['commit.interval.ms', '300', '300'],
  ['commit.interval.ms', '0', '0'],
  ['commit.interval.ms', '007', '7'],
  ['commit.interval.ms', '-0', '0'],
  ['ksql.streams.commit.interval.ms', '2147483647', '2147483647'],
  ['max.task.idle.ms', '-1', '-1'],
  ['cache.max.bytes.buffering', '10000000', '10000000'],
  ['auto.offset.reset', 'LATEST', 'latest'],
  ['AUTO.OFFSET.RESET', 'Earliest', 'earliest'],
  ['ksql.optimizer.enabled', 'FALSE', 'false'],
  ['processing.guarantee', 'EXACTLY_ONCE_V2', 'exactly_once_v2'],
  ['ksql.persistence.default.format.value', 'json', 'JSON'],
  ['ksql.output.topic.name.prefix', 'a.b-', 'a.b-'],
  ['compression.type', 'LZ4', 'lz4'],
  ['ksql.streams.producer.compression.type', 'zstd', 'zstd'],
  ['producer.max.request.size', '5000000', '5000000'],
  ['max.request.size', '1', '1'],
  ['ksql.streams.replication.factor', '3', '3'],
])('%s = %s is taken, and kept in one spelling', (name, text, value) => {
  const setting = checkProperty(name, text, 'statement');
  expect(setting.value).toBe(value);
  expect(propertyValue(new Map([[setting.name, setting.value]]), setting.name)).toBe(value);
});

test.each([
  ['commit.interval.ms', '-5'],
  ['commit.interval.ms', '2147483648'],
  ['max.task.idle.ms', '-2'],
  ['producer.compression.type', 'brotli'],
  ['max.request.size', '0'],
  ['max.request.size', '1000000001'],
  ['replication.factor', '-2'],
  ['cache.max.bytes.buffering', '-1'],
  ['ksql.functions.collect_list.limit', '-1'],
  ['ksql.output.topic.name.prefix', '../'],
  ['ksql.persistence.default.format.key', 'PARQUET'],
])('%s = %s is out of range', (name, text) => {
  expect(() => checkProperty(name, text, 'statement')).toThrow('must be');
});

test('a value in capitals means what it says', async () => {
  const engine = await openEngine();
  const session = newSession();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     INSERT INTO S VALUES (1, 1);
     SET 'auto.offset.reset' = 'LATEST'; SET 'ksql.optimizer.enabled' = 'FALSE';`,
    session,
  );
  expect(streamsOptions(engine, 'q', session.properties).offsetReset).toBe('latest');
  expect(session.properties.get('ksql.optimizer.enabled')).toBe('false');
  await engine.close();
});

test('how a query writes, and what its own topics are like, is a matter of the session', async () => {
  const engine = await openEngine(null, {
    properties: new Map([
      ['compression.type', 'gzip'],
      ['topic.segment.bytes', '1000000'],
    ]),
  });
  const session = newSession();
  const of = async (sql: string): Promise<Pick<StreamsOptions, 'producer' | 'internalTopics'>> => {
    await execute(engine, sql, session);
    const all = new Map([...engine.systemProperties, ...session.properties]);
    const { producer, internalTopics } = streamsOptions(engine, 'q', all);
    return { producer, internalTopics } as Pick<StreamsOptions, 'producer' | 'internalTopics'>;
  };
  expect(await of('')).toEqual({
    producer: { compression: 'gzip' },
    internalTopics: { replicas: -1, configs: { 'segment.bytes': '1000000' } },
  });
  expect(
    await of(
      `SET 'ksql.streams.producer.max.request.size' = '5000000'; SET 'producer.compression.type' = 'zstd';
       SET 'producer.linger.ms' = '0';
       SET 'ksql.streams.topic.max.message.bytes' = '6000000'; SET 'ksql.streams.replication.factor' = '3';`,
    ),
  ).toEqual({
    producer: { compression: 'zstd', lingerMs: 0, requestBytesMax: 5_000_000 },
    internalTopics: {
      replicas: 3,
      configs: { 'segment.bytes': '1000000', 'max.message.bytes': '6000000' },
    },
  });
  expect(
    await of(
      `SET 'message.max.bytes' = '7000000'; SET 'producer.compression.codec' = 'lz4';
       SET 'ksql.streams.producer.queue.buffering.max.ms' = '20';`,
    ),
  ).toMatchObject({ producer: { compression: 'lz4', lingerMs: 20, requestBytesMax: 7_000_000 } });
  await expect(of(`SET 'queue.buffering.max.ms' = 'abc';`)).rejects.toMatchObject({ code: 'ML_PROPERTY' });
  await engine.close();
});

test('properties of ksqlDB that mean nothing here are taken; unknown ones only from requests', () => {
  for (const name of [
    'ksql.query.pull.metrics.enabled',
    'ksql.idle.connection.timeout.seconds',
    'ksql.streams.num.stream.threads',
    'producer.batch.size',
    'consumer.max.poll.records',
    'ksql.functions.my_own.base',
    'ksql.streams.topic.min.insync.replicas',
  ])
    for (const giver of ['statement', 'request', 'start'] as const)
      expect(checkProperty(name, 'anything', giver).value, name).toBe('anything');
  for (const name of [
    'ksql.anything.at.all',
    'ksql.streams.producer.anything',
    'no.such.thing',
    'ksql.',
    '',
    '__proto__',
    'ksql.__proto__',
  ]) {
    expect(() => checkProperty(name, '1', 'statement'), name).toThrow('there is no property');
    expect(checkProperty(name, '1', 'request').value).toBe('1');
  }
  for (const name of [
    'ksql.service.id',
    'bootstrap.servers',
    'ksql.streams.bootstrap.servers',
    'ssl.key.password',
  ])
    for (const giver of ['statement', 'request', 'start'] as const)
      expect(() => checkProperty(name, '1', giver), name).toThrow('belongs to the server');
});

test('whole numbers are read as they are written, and nothing else is one', () => {
  const range = { min: -1000, max: 1000 };
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.float().map(String)), (text) => {
      const number = readWholeNumber(text, range);
      if (number === null) return;
      expect(text).toMatch(/^-?[0-9]+$/);
      expect(BigInt(number)).toBe(BigInt(text));
    }),
  );
  fc.assert(
    fc.property(fc.maxSafeInteger(), (number) => {
      const inside = number >= range.min && number <= range.max;
      expect(readWholeNumber(String(number), range)).toBe(inside ? number + 0 : null);
    }),
  );
  expect(describeRange(range)).toBe('a whole number from -1000 to 1000');
  expect(describeRange({ min: 0, max: Number.MAX_SAFE_INTEGER })).toBe('a whole number of at least 0');
});

test.each([
  [
    'PARTITIONS',
    ['0', '-1', '10001', "'abc'", "''", "'1e3'", "'٣'", "'99999999999999999999'", '1.5', 'TRUE'],
  ],
  ['REPLICAS', ['0', '-1', '32768', "'0x1'"]],
  ['RETENTION_MS', ['-2', "'soon'", "'1_000'", '9007199254740993']],
])('WITH (%s=…) says what it takes', async (name, values) => {
  const engine = await openEngine();
  for (const value of values) {
    const partitions = name === 'PARTITIONS' ? '' : ', PARTITIONS=1';
    const sql = `CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', ${name}=${value}${partitions});`;
    await expect(execute(engine, sql), value).rejects.toMatchObject({
      code: 'ML_PROPERTY',
      message: expect.stringMatching(`^property ${name} must be a whole number (from|of at least)`) as string,
    });
  }
  await engine.close();
});

test.each(['-1', '99999999999999999999', '1e3', '1.5', "'1'", ''])('LIMIT %s is refused', async (limit) => {
  const engine = await openEngine();
  await execute(engine, "CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);");
  await expect(execute(engine, `SELECT * FROM S EMIT CHANGES LIMIT ${limit};`)).rejects.toMatchObject({
    code: 'ML_SYNTAX',
  });
  await engine.close();
});

test('an alias may hold anything: the application that runs the query has a plain name', async () => {
  const engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     INSERT INTO S VALUES (1, 1);`,
  );
  const { rows } = await execute(engine, 'SELECT * FROM S AS `../x ü` EMIT CHANGES LIMIT 1;');
  expect(rows).toHaveLength(1);
  expect(applicationIdOf('a/b ü', engine)).toMatch(/_query_a\.2fb\.20c3bc$/);
  await engine.close();
});
