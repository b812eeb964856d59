import { expect, test } from 'vitest';
import { readCases, withoutComments } from '../../../src/test-runner/read-cases.ts';
import { printJson } from '../../../src/types/json-node.ts';
import { DataError } from '../../../src/common/error.ts';

test('a test with formats and configurations is a case for each', () => {
  const cases = readCases(
    'f.json',
    `{ "tests": [ { // a comment
      "name": "n", "format": ["JSON", "DELIMITED"], "config": [true, false],
      "properties": { "p": "{CONFIG}", "q": 5 },
      "statements": ["CREATE STREAM S (A INT) WITH (KAFKA_TOPIC='{FORMAT}', FORMAT='{FORMAT}');"],
      "inputs": [{ "topic": "{FORMAT}", "value": "// no comment" }]
    } ] }`,
  );
  expect(cases.map(({ variant }) => variant)).toEqual([
    'JSON p=true',
    'JSON p=false',
    'DELIMITED p=true',
    'DELIMITED p=false',
  ]);
  const [, , , last] = cases;
  expect(last?.statements).toEqual([
    "CREATE STREAM S (A INT) WITH (KAFKA_TOPIC='DELIMITED', FORMAT='DELIMITED');",
  ]);
  expect([...last!.properties]).toEqual([
    ['p', 'false'],
    ['q', '5'],
  ]);
  expect(last?.inputs).toMatchObject([
    { topic: '{FORMAT}', key: null, value: '// no comment', timestamp: null },
  ]);
});

test('numbers keep their text', () => {
  const [each] = readCases(
    'f.json',
    '{"tests":[{"name":"n","statements":[],"inputs":[{"topic":"t","value":{"A":9223372036854775807,"B":1.10,"C":[1E3]}}]}]}',
  );
  expect(printJson(each!.inputs[0]!.value)).toBe('{"A":9223372036854775807,"B":1.10,"C":[1E3]}');
});

test('windows, headers, timestamps and topics are read', () => {
  const [each] = readCases(
    'f.json',
    `{"tests":[{"name":"n","statements":[],"topics":[{"name":"t","partitions":4},{"name":"u"}],
      "expectedException":{"type":"x"},
      "post":{"sources":[{"name":"S","type":"stream"}],"topics":{"blacklist":".*-repartition"}},
      "outputs":[{"topic":"t","key":1,"value":null,"timestamp":12,"window":{"start":1,"end":5,"type":"SESSION"},
        "headers":[{"KEY":"a","VALUE":"IQ=="},{"KEY":"b","VALUE":null}]}]}]}`,
  );
  expect(each).toMatchObject({
    topics: [
      { name: 't', partitions: 4 },
      { name: 'u', partitions: 4 },
    ],
    expectsRejection: true,
    outputs: [
      {
        value: null,
        timestamp: 12,
        window: { start: 1, end: 5, kind: 'session' },
        headers: [
          { key: 'a', value: Buffer.from('!') },
          { key: 'b', value: null },
        ],
      },
    ],
    post: { blacklist: '.*-repartition' },
  });
});

test('what cannot be run is skipped with its reason', () => {
  const skips = (test: string): (string | null)[] =>
    readCases('f.json', `{"tests":[{"name":"n",${test}}]}`).map(({ skip }) => skip);
  expect(skips('"statements":[],"enabled":false')).toEqual(['is switched off']);
  expect(skips('"statements":["SELECT 1;"]')).toEqual([null]);
  expect(skips('"statements":[],"responses":[{"queryProto":[]}]')).toEqual([
    'needs rows as Protobuf, which this release does not have',
  ]);
});

test('comments go, strings and positions stay', () => {
  expect(withoutComments('{"a": "//b /* c */ \\" //", /* x\ny */ "d": 1 } // e')).toBe(
    `{"a": "//b /* c */ \\" //",     \n     "d": 1 }     `,
  );
});

test('what is no file of cases is refused', () => {
  expect(() => readCases('f.json', '{"tests":[5]}')).toThrow(DataError);
  expect(() => readCases('f.json', '{"tests":')).toThrow(DataError);
});
