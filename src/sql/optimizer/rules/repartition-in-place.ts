import type { PlanNode } from '../../plan/node.ts';
import type { Rule } from '../rule.ts';

/**
 * What: below a sink or an output, with nothing between but filters, projections and flat maps, `repartition by k (x)`
 * over a stream x changes the key where the rows are, without a topic of its own.
 * Why good: an internal topic, its writes and its reads are gone. The sink sends each row to the partition of its
 * key in any case.
 * Illegal: below an aggregation or a join, which need all rows of a key in one task; over tables, whose removals must
 * not overtake what they remove.
 * After: drop-needless-repartition, which leaves nothing to do; whatever may still be moved below the sink.
 */
export const repartitionInPlace: Rule = {
  name: 'repartition-in-place',
  order: 'top-down',
  apply(node) {
    if (node.kind !== 'sink' && node.kind !== 'output') return node;
    const input = inPlace(node.input);
    return input === node.input ? node : { ...node, input };
  },
};

function inPlace(node: PlanNode): PlanNode {
  switch (node.kind) {
    case 'filter':
    case 'project':
    case 'flat-map': {
      const input = inPlace(node.input);
      return input === node.input ? node : { ...node, input };
    }
    case 'repartition':
      return node.changes === 'stream' && node.throughTopic ? { ...node, throughTopic: false } : node;
    default:
      return node;
  }
}
