import { DataError } from '../common/error.ts';
import { JsonNumber, type JsonNode, parseJson } from '../types/json-node.ts';
import type {
  CaseHeader,
  CasePost,
  CaseRecord,
  CaseTopic,
  CaseWindow,
  RestExpectations,
  TestCase,
} from './case.ts';
import { DEFAULT_PARTITIONS } from './create-topics.ts';
import { missingFormats } from './missing-formats.ts';

type JsonObject = ReadonlyMap<string, JsonNode>;

/**
 * The cases of a file, in order. Numbers keep their text; comments are allowed; unknown keys are ignored. A test with
 * `format` or `config` becomes a case for each of them. Throws `DataError` for what is not such a file.
 */
export function readCases(file: string, text: string): readonly TestCase[] {
  const tests = list(object(parseJson(withoutComments(text))).get('tests')).map(object);
  const overRest = tests.some((test) => test.has('responses') || test.has('expectedError'));
  return tests.flatMap((test) =>
    variantsOf(test).map(({ format, config }) => readCase(file, test, format, config, overRest)),
  );
}

interface Variant {
  readonly format: string | null;
  readonly config: string | null;
}

function variantsOf(test: JsonObject): Variant[] {
  const formats = list(test.get('format')).map(textOf);
  const configs = list(test.get('config')).map(textOf);
  const each = <T>(values: readonly T[]): readonly (T | null)[] => (values.length === 0 ? [null] : values);
  return each(formats).flatMap((format) => each(configs).map((config) => ({ format, config })));
}

function readCase(
  file: string,
  test: JsonObject,
  format: string | null,
  config: string | null,
  overRest: boolean,
): TestCase {
  const properties = new Map<string, string>();
  let configured = '';
  for (const [name, node] of object(test.get('properties') ?? new Map())) {
    const value = textOf(node);
    if (value === '{CONFIG}' && config !== null) configured = name;
    properties.set(name, value === '{CONFIG}' && config !== null ? config : value);
  }
  const statements = list(test.get('statements')).map((node) =>
    format === null ? textOf(node) : textOf(node).replaceAll('{FORMAT}', format),
  );
  return {
    file,
    name: textOf(test.get('name') ?? ''),
    variant: [format, config === null ? null : `${configured}=${config}`]
      .filter((each) => each !== null)
      .join(' '),
    skip: skipOf(test, statements, properties, format),
    statements,
    topics: list(test.get('topics')).map(object).map(readTopic),
    inputs: list(test.get('inputs')).map(object).map(readRecord),
    outputs: list(test.get('outputs')).map(object).map(readRecord),
    properties,
    expectsRejection: test.has('expectedException'),
    post: readPost(object(test.get('post') ?? new Map())),
    rest: overRest ? readRest(test) : null,
  };
}

function readRest(test: JsonObject): RestExpectations {
  const error = test.get('expectedError');
  const kindOf = (type: JsonNode | undefined): 'statement' | 'request' | null =>
    typeof type !== 'string' ? null : type.endsWith('KsqlStatementErrorMessage') ? 'statement' : 'request';
  return {
    responses: list(test.get('responses')).map(object),
    error:
      error === undefined
        ? null
        : {
            status: numberOf(object(error).get('status')) ?? 400,
            kind: kindOf(object(error).get('type')),
          },
    queryFirst: object(test.get('inputConditions') ?? new Map()).get('waitForActivePushQuery') === true,
  };
}

function skipOf(
  test: JsonObject,
  statements: readonly string[],
  properties: ReadonlyMap<string, string>,
  format: string | null,
): string | null {
  if (test.get('enabled') === false) return 'is switched off';
  if (list(test.get('responses')).some((node) => object(node).has('queryProto')))
    return 'needs rows as Protobuf, which this release does not have';
  return missingFormats(
    [...statements, ...[...properties].map(([name, value]) => `${name}='${value}'`)],
    format === null ? [] : [format],
  );
}

function readTopic(node: JsonObject): CaseTopic {
  return {
    name: textOf(node.get('name')),
    partitions: numberOf(node.get('partitions')) ?? DEFAULT_PARTITIONS,
  };
}

function readRecord(node: JsonObject): CaseRecord {
  return {
    topic: textOf(node.get('topic')),
    key: node.get('key') ?? null,
    value: node.get('value') ?? null,
    timestamp: numberOf(node.get('timestamp')),
    window: readWindow(node.get('window')),
    headers: list(node.get('headers')).map(object).map(readHeader),
  };
}

function readWindow(node: JsonNode | undefined): CaseWindow | null {
  if (node === undefined || node === null) return null;
  const window = object(node);
  const start = numberOf(window.get('start')) ?? 0;
  const kind = textOf(window.get('type')).toLowerCase() === 'session' ? 'session' : 'time';
  return { start, end: numberOf(window.get('end')) ?? start, kind };
}

function readHeader(node: JsonObject): CaseHeader {
  const value = node.get('VALUE') ?? null;
  return {
    key: textOf(node.get('KEY')),
    value: value === null ? null : Buffer.from(textOf(value), 'base64'),
  };
}

function readPost(node: JsonObject): CasePost {
  const topics = object(node.get('topics') ?? new Map());
  const blacklist = topics.get('blacklist');
  return {
    sources: list(node.get('sources')).map(object),
    topics: list(topics.get('topics')).map(object),
    blacklist: blacklist === undefined ? null : textOf(blacklist),
  };
}

function object(node: JsonNode | undefined): JsonObject {
  if (node instanceof Map) return node as JsonObject;
  throw new DataError('not a file of test cases: an object is missing');
}

function list(node: JsonNode | undefined): readonly JsonNode[] {
  return Array.isArray(node) ? (node as readonly JsonNode[]) : [];
}

/** A scalar as text: numbers as they are written. */
export function textOf(node: JsonNode | undefined): string {
  if (node instanceof JsonNumber) return node.text;
  if (typeof node === 'string' || typeof node === 'boolean') return String(node);
  throw new DataError('not a file of test cases: a text is missing');
}

function numberOf(node: JsonNode | undefined): number | null {
  return node instanceof JsonNumber ? Number(node.text) : null;
}

/** Blanks in place of line and block comments, so that positions stay. */
export function withoutComments(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('"') ? match : match.replaceAll(/[^\n]/g, ' '),
  );
}
