import { expect, test } from 'vitest';
import { ManualClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { rareWarnings } from '../../../../src/log/kafka/rare-warnings.ts';

test('the same warning is said once a minute, with how often it came', () => {
  const clock = new ManualClock();
  const said: [object, string][] = [];
  const logger = rareWarnings(
    { ...silentLogger, warn: (fields, message) => said.push([fields, message]) },
    clock,
  );
  for (let i = 0; i < 135; i++) {
    logger.warn({ node: 1, error: `refused ${i}` }, 'a fetch failed');
    clock.advance(400);
  }
  logger.warn({ node: 2, error: 'refused' }, 'a fetch failed');
  logger.warn({ node: 1, error: 'refused' }, 'a write failed');
  expect(said.splice(0)).toEqual([
    [{ node: 1, error: 'refused 0' }, 'a fetch failed'],
    [{ node: 2, error: 'refused' }, 'a fetch failed'],
    [{ node: 1, error: 'refused' }, 'a write failed'],
  ]);

  clock.advance(6_000);
  logger.warn({ node: 1, error: 'still refused' }, 'a fetch failed');
  expect(said.splice(0)).toEqual([[{ node: 1, error: 'still refused', times: 135 }, 'a fetch failed']]);
  clock.advance(59_999);
  logger.warn({ node: 1, error: 'late' }, 'a fetch failed');
  expect(said).toEqual([]);
});

test('everything else passes', () => {
  const said: string[] = [];
  const note = (_fields: object, message: string): void => void said.push(message);
  const logger = rareWarnings({ error: note, warn: note, info: note, debug: note }, new ManualClock());
  for (let i = 0; i < 2; i++) {
    logger.error({}, 'error');
    logger.info({}, 'info');
    logger.debug({}, 'debug');
  }
  expect(said).toEqual(['error', 'info', 'debug', 'error', 'info', 'debug']);
});
