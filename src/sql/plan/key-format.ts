import { formatOf } from '../../formats/registry.ts';
import type { PlanNode } from './node.ts';
import type { SideFormat } from '../catalog/source.ts';

/** The format of the record key of the rows that leave a node: that of the source or repartition they come from. */
export function keyFormatOf(node: PlanNode): SideFormat {
  switch (node.kind) {
    case 'source':
    case 'repartition':
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

/** Whether two sides write equal values of the same types as equal bytes. */
export function equalBytesFormats(a: SideFormat, b: SideFormat): boolean {
  return (
    a.name === b.name &&
    !formatOf(a.name).registered &&
    a.wrapped === b.wrapped &&
    JSON.stringify(a.properties) === JSON.stringify(b.properties)
  );
}
