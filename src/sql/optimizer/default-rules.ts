import type { Rule } from './rule.ts';
import { dropIdentityProject } from './rules/drop-identity-project.ts';
import { dropNeedlessMaterialization } from './rules/drop-needless-materialization.ts';
import { dropNeedlessRepartition } from './rules/drop-needless-repartition.ts';
import { dropTrueFilter } from './rules/drop-true-filter.ts';
import { foldConstants } from './rules/fold-constants.ts';
import { mergeFilters } from './rules/merge-filters.ts';
import { mergeProjects } from './rules/merge-projects.ts';
import { narrowOuterJoin } from './rules/narrow-outer-join.ts';
import { passRawColumns } from './rules/pass-raw-columns.ts';
import { pruneColumns } from './rules/prune-columns.ts';
import { pruneSourceColumns } from './rules/prune-source-columns.ts';
import { pushFilterBelowProject } from './rules/push-filter-below-project.ts';
import { pushFilterBelowRepartition } from './rules/push-filter-below-repartition.ts';
import { pushFilterIntoJoinSide } from './rules/push-filter-into-join-side.ts';
import { repartitionInPlace } from './rules/repartition-in-place.ts';

/** Every rule, in the order in which they are tried, with the reason for its place. */
export const defaultRules: readonly Rule[] = [
  foldConstants, // first: what it makes constant, other rules drop
  mergeFilters, // before the pushes: they move conjuncts of one filter
  dropTrueFilter, // after folding and merging: what was pushed away or folded leaves TRUE
  pushFilterBelowProject, // the pushes from the root down, in the order of what usually stands there
  narrowOuterJoin, // before filters leave the join: they are its proof
  pushFilterIntoJoinSide,
  pushFilterBelowRepartition,
  mergeProjects, // after the pushes: no filter stands between two projects any more
  dropIdentityProject, // merging leaves them
  dropNeedlessRepartition, // sees the key through merged projects; before pruning puts a project there
  repartitionInPlace, // of those that are left
  dropNeedlessMaterialization,
  pruneColumns, // when the tree has its final nodes
  pruneSourceColumns, // what is pruned above is no longer read
  passRawColumns, // last: it freezes how columns are read
];
