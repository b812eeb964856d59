import type { PlanNode, SideFormat } from '../plan/node.ts';

/** The format of the record key of the rows that leave a node: that of the source or repartition they come from. */
export function keyFormatOf(node: PlanNode): SideFormat | null {
  switch (node.kind) {
    case 'source':
      return node.keyFormat;
    case 'repartition':
      return node.keyFormat;
    case 'sink':
      return node.keyFormat;
    case 'join':
      return keyFormatOf(node.left);
    case 'filter':
    case 'project':
    case 'flat-map':
    case 'aggregate':
    case 'output':
      return keyFormatOf(node.input);
  }
}
