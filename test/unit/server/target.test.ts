import { expect, test } from 'vitest';
import { parseTarget } from '../../../src/server/target.ts';

test.each([
  ['/info', '/info'],
  ['/info?a=b', '/info'],
  ['http://host:80/info?a=b', '/info'],
  ['HTTPS://host/info', '/info'],
  ['http://host', '/'],
  ['//host/info', '//host/info'],
  ['*', '/*'],
  ['', '/'],
  ['/a/../info', '/info'],
])('%j names the path %s', (target, path) => {
  expect(parseTarget(target).path).toBe(path);
});

test('the query is decoded leniently', () => {
  expect(parseTarget('/ws/query?request=%7B%22a%22%7D&x=%zz').query.get('request')).toBe('{"a"}');
});
