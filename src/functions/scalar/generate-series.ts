import { DataError } from '../../common/error.ts';
import { addBigint, compareBigint, type Bigint } from '../../types/bigint.ts';
import { array, BIGINT, INTEGER } from '../../types/sql-type.ts';
import type { ScalarFunction } from '../function.ts';
import { checked, fixed, parameter, scalar, scalars } from '../signature.ts';

/** More items than this from one record is a mistake. */
const MAX_SERIES = 10_000_000;

function checkStep(step: number): void {
  if (step === 0) throw new DataError('GENERATE_SERIES cannot go in steps of 0');
}

function series(start: Bigint, end: Bigint, step: number): Bigint[] {
  checkStep(step);
  const direction = compareBigint(end, start);
  if (direction !== 0 && direction > 0 !== step > 0)
    throw new DataError(`GENERATE_SERIES cannot get from ${start} to ${end} in steps of ${step}`);
  if (Math.abs((Number(end) - Number(start)) / step) > MAX_SERIES)
    throw new DataError(`GENERATE_SERIES of more than ${MAX_SERIES} items`);
  const items: Bigint[] = [];
  for (let at = start; step > 0 ? at <= end : at >= end; at = addBigint(at, step)) {
    items.push(at);
    // The next step would wrap around.
    if (at === end) break;
  }
  return items;
}

const autoSeries = (start: Bigint, end: Bigint): Bigint[] => series(start, end, end < start ? -1 : 1);

export const seriesFunctions: readonly ScalarFunction[] = scalars('ARRAY', [
  scalar(
    'GENERATE_SERIES',
    'The whole numbers from a start to an end, both included, in steps (of 1 or -1 when not given).',
    ['GENERATE_SERIES(1, 7, 3)', 'ARRAY[1, 4, 7]'],
    'propagate',
    ...[INTEGER, BIGINT].flatMap((type) => {
      const ends = [parameter('start', type), parameter('end', type)];
      return [
        fixed(ends, array(type), autoSeries),
        fixed([...ends, checked(parameter('step', INTEGER), checkStep)], array(type), series),
      ];
    }),
  ),
]);
