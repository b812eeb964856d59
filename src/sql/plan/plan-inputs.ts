import { must } from '../../common/assert.ts';
import type { PlanNode, PlanSource } from './node.ts';

/** The nodes below a node, left to right. */
export function inputsOf(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'source':
      return [];
    case 'join':
      return [node.left, node.right];
    default:
      return [node.input];
  }
}

/** The node over other inputs: the node itself when they are the ones it has. Columns are not touched. */
export function withInputs(node: PlanNode, inputs: readonly PlanNode[]): PlanNode {
  switch (node.kind) {
    case 'source':
      return node;
    case 'join': {
      const left = must(inputs[0]);
      const right = must(inputs[1]);
      return left === node.left && right === node.right ? node : { ...node, left, right };
    }
    default: {
      const input = must(inputs[0]);
      return input === node.input ? node : { ...node, input };
    }
  }
}

/** The node with `f` applied to its inputs; itself when nothing changes. */
export function mapInputs(node: PlanNode, f: (input: PlanNode) => PlanNode): PlanNode {
  return withInputs(node, inputsOf(node).map(f));
}

/** Every node of the tree, each before its inputs. */
export function allNodes(root: PlanNode): PlanNode[] {
  return [root, ...inputsOf(root).flatMap(allNodes)];
}

/**
 * The plan over other sources. Nodes that repeat their input's columns get the new ones' names and types, which are
 * the old ones.
 */
export function replaceSources(node: PlanNode, change: (source: PlanSource) => PlanSource): PlanNode {
  if (node.kind === 'source') return change(node);
  return mapInputs(node, (input) => replaceSources(input, change));
}
