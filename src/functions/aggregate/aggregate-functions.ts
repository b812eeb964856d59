import type { AggregateFunction } from '../function.ts';
import { attr } from './attr.ts';
import { avg } from './avg.ts';
import { earliestByOffset, latestByOffset } from './by-offset.ts';
import { collectList, collectSet } from './collect.ts';
import { countDistinct } from './count-distinct.ts';
import { count } from './count.ts';
import { histogram } from './histogram.ts';
import { max, min } from './min-max.ts';
import { correlation, stddevSamp, stddevSample } from './statistics.ts';
import { sum, sumList } from './sum.ts';
import { topK, topKDistinct } from './top-k.ts';

export const aggregateFunctions: readonly AggregateFunction[] = [
  attr,
  avg,
  collectList,
  collectSet,
  correlation,
  count,
  countDistinct,
  earliestByOffset,
  histogram,
  latestByOffset,
  max,
  min,
  stddevSamp,
  stddevSample,
  sum,
  sumList,
  topK,
  topKDistinct,
];
