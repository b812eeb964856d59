import type { AggregateDefinition, AggregateFunction } from '../function.ts';
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

const DEFINITIONS: readonly AggregateDefinition[] = [
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

export const aggregateFunctions: readonly AggregateFunction[] = DEFINITIONS.map((definition) => ({
  kind: 'aggregate',
  category: 'AGGREGATE',
  ...definition,
}));
