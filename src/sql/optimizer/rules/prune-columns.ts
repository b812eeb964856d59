import { must } from '../../../common/assert.ts';
import type { Expression } from '../../expressions/expression.ts';
import { columnsOf, mapColumns } from '../../expressions/walk.ts';
import type { PlanNode, PlanNodeOf } from '../../plan/node.ts';
import { project, shapeOf } from '../../plan/make.ts';
import type { Rule } from '../rule.ts';
import type { Column } from '../../../types/schema.ts';
import type { WindowShape } from '../../analyzer/analyzed-query.ts';

/**
 * What: columns that nobody above reads leave projects, and a project is put below a repartition that carries some.
 * Why good: they are not computed, and not written to the internal topic and read back.
 * Illegal: for the columns of the record key and of its window, which are part of the shape; for volatile items no
 * harm is done: nobody can tell that a random number was not drawn. An item that fails and is read by nobody is no
 * longer counted as an error.
 * After: everything that merges or moves projects, and drop-needless-repartition: a project in front of a
 * repartition that goes would stand in the way.
 */
export const pruneColumns: Rule = {
  name: 'prune-columns',
  order: 'top-down',
  apply(node) {
    switch (node.kind) {
      case 'sink': {
        const read = [...node.keyPositions, ...node.valuePositions];
        if (node.timestamp !== null) read.push(node.timestamp.column);
        const { node: input, at } = prune(node.input, new Set(read));
        if (input === node.input) return node;
        return {
          ...node,
          input,
          keyPositions: node.keyPositions.map(at),
          valuePositions: node.valuePositions.map(at),
          timestamp:
            node.timestamp === null ? null : { ...node.timestamp, column: at(node.timestamp.column) },
        };
      }
      case 'output': {
        const { node: input, at } = prune(node.input, new Set(node.positions));
        return input === node.input ? node : { ...node, input, positions: node.positions.map(at) };
      }
      default:
        return node;
    }
  },
};

/** A node that gives at least the columns that were asked for, and where they are now. */
interface Pruned {
  readonly node: PlanNode;
  readonly at: (position: number) => number;
}

const same = (position: number): number => position;

function prune(node: PlanNode, asked: ReadonlySet<number>): Pruned {
  const needed = new Set(asked);
  for (const position of node.key) needed.add(position);
  if (node.window !== null) needed.add(node.window.startColumn).add(node.window.endColumn);
  switch (node.kind) {
    case 'source':
      return { node, at: same };
    case 'filter': {
      for (const index of columnsOf(node.predicate)) needed.add(index);
      const { node: input, at } = prune(node.input, needed);
      if (input === node.input) return { node, at };
      return { node: { ...node, ...shapeOf(input), input, predicate: mapColumns(node.predicate, at) }, at };
    }
    case 'project':
      return pruneProject(node, needed);
    case 'flat-map':
      return pruneFlatMap(node, needed);
    case 'repartition':
      return pruneRepartition(node, needed);
    case 'aggregate': {
      const read = new Set(node.groupBy);
      for (const call of node.calls) addAll(read, call.args);
      const { node: input, at } = prune(node.input, read);
      if (input === node.input) return { node, at: same };
      const calls = node.calls.map((call) => ({
        ...call,
        args: call.args.map((arg) => mapColumns(arg, at)),
      }));
      return { node: { ...node, input, groupBy: node.groupBy.map(at), calls }, at: same };
    }
    case 'join':
      return pruneJoin(node, needed);
    case 'sink':
    case 'output':
      return { node, at: same };
  }
}

function pruneProject(node: PlanNodeOf<'project'>, needed: ReadonlySet<number>): Pruned {
  const kept = node.expressions.map((_, i) => i).filter((i) => needed.has(i));
  const read = new Set<number>();
  addAll(
    read,
    kept.map((i) => node.expressions[i]!),
  );
  const { node: input, at } = prune(node.input, read);
  if (kept.length === node.expressions.length && input === node.input) return { node, at: same };
  const position = positionIn(kept);
  return {
    node: {
      ...node,
      input,
      columns: kept.map((i) => node.columns[i]!),
      key: node.key.map(position),
      window: moveWindow(node.window, position),
      expressions: kept.map((i) => mapColumns(node.expressions[i]!, at)),
    },
    at: position,
  };
}

function pruneFlatMap(node: PlanNodeOf<'flat-map'>, needed: ReadonlySet<number>): Pruned {
  const width = node.input.columns.length;
  const read = new Set([...needed].filter((index) => index < width));
  for (const call of node.functions) addAll(read, call.args);
  const { node: input, at } = prune(node.input, read);
  if (input === node.input) return { node, at: same };
  const place = (index: number): number => (index < width ? at(index) : index - width + input.columns.length);
  return {
    node: {
      ...node,
      input,
      columns: [...input.columns, ...node.columns.slice(width)],
      key: node.key.map(place),
      window: moveWindow(node.window, place),
      functions: node.functions.map((call) => ({
        ...call,
        args: call.args.map((arg) => mapColumns(arg, at)),
      })),
    },
    at: place,
  };
}

function pruneRepartition(node: PlanNodeOf<'repartition'>, needed: ReadonlySet<number>): Pruned {
  const { node: input, at } = prune(node.input, needed);
  const kept = [...new Set([...needed].map(at))].sort((a, b) => a - b);
  // Keys and windows of the input's rows stay: a table's regrouping and windows need them.
  const shape = new Set([...kept, ...input.key]);
  if (input.window !== null) shape.add(input.window.startColumn).add(input.window.endColumn);
  const carried = [...shape].sort((a, b) => a - b);
  if (carried.length === input.columns.length) {
    if (input === node.input) return { node, at: same };
    return {
      node: {
        ...node,
        input,
        columns: input.columns,
        key: node.key.map(at),
        window: moveWindow(node.window, at),
      },
      at,
    };
  }
  const position = positionIn(carried);
  const carries = project(
    input,
    carried.map((index) => ({ kind: 'column', type: input.columns[index]!.type, index })),
    carried.map((index) => input.columns[index]!.name),
    input.key.map(position),
    moveWindow(input.window, position),
  );
  const place = (index: number): number => position(at(index));
  return {
    node: {
      ...node,
      input: carries,
      columns: carries.columns,
      key: node.key.map(place),
      window: moveWindow(node.window, place),
    },
    at: place,
  };
}

function pruneJoin(node: PlanNodeOf<'join'>, needed: ReadonlySet<number>): Pruned {
  const width = node.left.columns.length;
  const leftRead = new Set([...needed].filter((index) => index < width));
  if (node.foreignKey !== null) for (const index of columnsOf(node.foreignKey)) leftRead.add(index);
  const left = prune(node.left, leftRead);
  const right = prune(
    node.right,
    new Set([...needed].filter((index) => index >= width).map((index) => index - width)),
  );
  if (left.node === node.left && right.node === node.right) return { node, at: same };
  const place = (index: number): number =>
    index < width ? left.at(index) : right.at(index - width) + left.node.columns.length;
  return {
    node: {
      ...node,
      left: left.node,
      right: right.node,
      columns: joinColumns(node, left.node, right.node, place, needed),
      key: node.key.map(place),
      window: moveWindow(node.window, place),
      foreignKey: node.foreignKey === null ? null : mapColumns(node.foreignKey, left.at),
    },
    at: place,
  };
}

/** Joins name their columns themselves (`L_ID`); those that nobody reads take the input's names. */
function joinColumns(
  node: PlanNodeOf<'join'>,
  left: PlanNode,
  right: PlanNode,
  place: (index: number) => number,
  needed: ReadonlySet<number>,
): Column[] {
  const columns = [...left.columns, ...right.columns].map(({ name, type }) => ({ name, type }));
  for (const index of needed) columns[place(index)] = node.columns[index]!;
  return columns;
}

function addAll(into: Set<number>, expressions: readonly Expression[]): void {
  for (const expression of expressions) for (const index of columnsOf(expression)) into.add(index);
}

function positionIn(kept: readonly number[]): (index: number) => number {
  const positions = new Map(kept.map((index, i) => [index, i]));
  return (index) => must(positions.get(index), `column ${index} was pruned and is read`);
}

function moveWindow(window: WindowShape | null, at: (position: number) => number): WindowShape | null {
  return window === null
    ? null
    : { ...window, startColumn: at(window.startColumn), endColumn: at(window.endColumn) };
}
