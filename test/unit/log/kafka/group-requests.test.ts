import { expect, test } from 'vitest';
import {
  heartbeatRequest,
  joinGroupRequest,
  syncGroupRequest,
} from '../../../../src/log/kafka/group-requests.ts';

const text = (value: string): string =>
  Buffer.from([0, value.length]).toString('hex') + Buffer.from(value).toString('hex');
const NULL = 'ffff';

test('a member joins with what it tells the leader (JoinGroup v5)', () => {
  const request = joinGroupRequest('g', 'm', {
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 9000,
    protocol: 'p',
    metadata: Buffer.from('{}'),
  });
  const { apiKey, apiVersion } = request.request;
  expect([apiKey, apiVersion]).toEqual([11, 5]);
  expect(request.request.encode().buf.toString('hex')).toBe(
    `${text('g')}0000271000002328${text('m')}${NULL}${text('millrace')}00000001${text('p')}000000027b7d`,
  );
  // It may be answered when the time of the slowest member is over.
  expect(request.requestTimeout).toBeGreaterThan(9000);

  const answer = `00000000000000000003${text('p')}${text('a')}${text('m')}00000001${text('a')}${NULL}000000027b7d`;
  expect(request.response.decode(Buffer.from(answer, 'hex')).body).toEqual({
    code: 0,
    generation: 3,
    leader: 'a',
    memberId: 'm',
    members: [{ memberId: 'a', metadata: Buffer.from('{}') }],
  });
});

test('the leader sends what each is given, and a member tells that it lives', () => {
  const sync = syncGroupRequest('g', 'm', 3, [{ memberId: 'a', assignment: Buffer.from('x') }]);
  expect(sync.request.encode().buf.toString('hex')).toBe(
    `${text('g')}00000003${text('m')}${NULL}00000001${text('a')}0000000178`,
  );
  expect(sync.response.decode(Buffer.from('0000000000160000000178', 'hex')).body).toEqual({
    code: 22,
    assignment: Buffer.from('x'),
  });
  // A response that is cut short is not taken for an empty one.
  expect(() => sync.response.decode(Buffer.from('00000000000000000009', 'hex'))).toThrow(RangeError);

  const beat = heartbeatRequest('g', 'm', 3);
  expect(beat.request.encode().buf.toString('hex')).toBe(`${text('g')}00000003${text('m')}${NULL}`);
});
