import { wantColumns } from '../../plan/column-reads.ts';
import type { Rule } from '../rule.ts';

/**
 * What: a source's key, pseudo and header columns that nobody above it reads any more are not wanted.
 * Why good: they are not filled in.
 * Illegal: for columns of the value. Which of them are kept is settled by the statement, before any rule: a table's
 * store holds them, and must be read again with the optimizer off. Where the plan does not end in a sink or output it is
 * not known which are read (`CREATE SOURCE TABLE` keeps whole rows).
 * After: prune-columns: what a project computes for nobody still counts as read.
 */
export const pruneSourceColumns: Rule = {
  name: 'prune-source-columns',
  order: 'top-down',
  apply(node) {
    if (node.kind !== 'sink' && node.kind !== 'output') return node;
    return wantColumns(node, ({ origin }) => origin.kind !== 'value');
  },
};
