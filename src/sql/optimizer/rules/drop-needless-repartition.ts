import type { Rule } from '../rule.ts';
import { equalBytesFormats, keyFormatOf } from '../../plan/key-format.ts';

/**
 * What: `repartition by k (x)` over a stream x whose record key already is the columns k, in that order and in that
 * key format, becomes `x`.
 * Why good: an internal topic, its writes and its reads are gone: the dearest part of most queries.
 * Illegal: when the key's bytes would differ (`KEY_FORMAT='JSON'` over KAFKA: partitions are chosen by bytes); when x
 * is windowed (its key holds the window); when k has the same columns in another order; over tables: grouping one
 * needs the old row and the new one as a pair, also by its own key. Null keys: a record key that is null is dropped
 * by whatever groups or joins, so `nullKeys` loses nothing.
 * After: merge-projects, so that a column is still seen to be the key's.
 */
export const dropNeedlessRepartition: Rule = {
  name: 'drop-needless-repartition',
  order: 'bottom-up',
  apply(node) {
    if (node.kind !== 'repartition' || node.changes === 'table') return node;
    const { input } = node;
    if (input.window !== null || input.key.length === 0 || input.key.length !== node.key.length) return node;
    if (!node.key.every((position, i) => position === input.key[i])) return node;
    return equalBytesFormats(keyFormatOf(input), node.keyFormat) ? input : node;
  },
};
