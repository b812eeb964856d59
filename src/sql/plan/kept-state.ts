import { printExpression } from '../expressions/print-expression.ts';
import { printType } from '../../types/print-type.ts';
import { readsOfInputs } from './column-reads.ts';
import { describeNode } from './explain.ts';
import { keyFormatOf } from './key-format.ts';
import type { PlanNode, PlanNodeOf } from './node.ts';
import { allNodes, inputsOf } from './plan-inputs.ts';
import type { Column } from '../../types/schema.ts';
import type { SideFormat } from '../catalog/source.ts';

/** Something that a query keeps between records, or that decides about what it keeps. */
interface StatePart {
  /** As EXPLAIN shows it. */
  readonly text: string;
  /** Equal for stores that can go on with each other's state. */
  readonly meaning: string;
}

/**
 * A sentence about the state of one query that another one could not go on with; null when it can go on with all of it.
 * Both plans are as written, before any rule: whether a query may take another one's place must not depend on how either
 * is run.
 *
 * Filters may change, and so may what is computed from the state. But what a join remembers are the rows that passed its
 * WHERE, in the columns that are read above it; and a table's aggregate takes back what it has added, so that its WHERE
 * must still be the one that let it in.
 */
export function changeOfState(before: PlanNode, after: PlanNode): string | null {
  const old = stateOf(before);
  const parts = stateOf(after);
  for (let i = 0; i < Math.max(old.length, parts.length); i++) {
    const was = old[i];
    const is = parts[i];
    if (was?.meaning === is?.meaning) continue;
    if (was === undefined) return `${is!.text} would be added`;
    if (is === undefined) return `${was.text} would go`;
    return was.text === is.text
      ? `${was.text} would read other columns`
      : `${was.text} would become ${is.text}`;
  }
  return null;
}

function stateOf(plan: PlanNode): readonly StatePart[] {
  const parts: StatePart[] = [];
  /** `needed`: columns that are read above; `isBelow`: whether something that is kept is made of the node's rows. */
  const visit = (node: PlanNode, needed: ReadonlySet<number>, isBelow: boolean): void => {
    const reads = readsOfInputs(node, needed);
    const below = inputsOf(node);
    const add = (meaning: string): void => {
      parts.push({ text: describeNode(node), meaning: `${node.kind} ${meaning}` });
    };
    switch (node.kind) {
      case 'sink':
      case 'output':
      case 'project':
        break;
      case 'filter':
        if (node.clause === 'where' && (hasJoin(node) || (isBelow && node.changes === 'table')))
          add(meaningOf(node.predicate, node.input));
        break;
      case 'flat-map':
        if (isBelow) add(definitions(node).slice(node.input.columns.length).join(', '));
        break;
      case 'repartition':
        add(
          `${node.name} ${node.nullKeys} ${pick(node, node.key)} ${formatText(node.keyFormat)} carries ` +
            pick(
              node,
              [...reads[0]!].sort((a, b) => a - b),
            ),
        );
        break;
      case 'aggregate':
        add(
          JSON.stringify([
            node.store,
            node.emit,
            node.windowing,
            pick(node.input, node.groupBy),
            callTexts(node),
          ]),
        );
        break;
      case 'join': {
        const { shape, join, within, foreignKey, name } = node;
        const key = foreignKey === null ? '' : meaningOf(foreignKey, node.left);
        const sides = below.map((input, i) => pick(input, [...reads[i]!]));
        add(JSON.stringify([name, shape, join, within, key, ...sides]));
        break;
      }
      case 'source': {
        const key = node.keyColumns.map(columnText).join(', ');
        const window = node.window === null ? '' : `${node.window.kind} ${node.window.sizeMs}`;
        add(`${node.topic} ${node.changes} key ${key} ${formatText(keyFormatOf(node))} ${window}`);
        break;
      }
    }
    const keeps = isBelow || node.kind === 'aggregate' || node.kind === 'join' || node.kind === 'repartition';
    below.forEach((input, i) => visit(input, reads[i]!, keeps));
  };
  visit(plan, new Set(), false);
  return parts;
}

function hasJoin(node: PlanNode): boolean {
  return allNodes(node).some(({ kind }) => kind === 'join');
}

const known = new WeakMap<PlanNode, readonly string[]>();

/** The definition of each column, down to the sources; names that are used only on the way are not in it. */
function definitions(node: PlanNode): readonly string[] {
  const found = known.get(node) ?? define(node);
  known.set(node, found);
  return found;
}

function define(node: PlanNode): readonly string[] {
  switch (node.kind) {
    case 'source':
      return node.columns.map(columnText);
    case 'filter':
    case 'repartition':
    case 'sink':
    case 'output':
      return definitions(node.input);
    case 'project':
      return node.expressions.map((each) => meaningOf(each, node.input));
    case 'flat-map':
      return [
        ...definitions(node.input),
        ...node.functions.map(({ name, args }, i) => {
          const given = args.map((arg) => meaningOf(arg, node.input)).join(', ');
          return `${name}(${given}) ${printType(node.functions[i]!.type)}`;
        }),
      ];
    case 'aggregate': {
      const below = definitions(node.input);
      const made = [...node.groupBy.map((at) => below[at]!), ...callTexts(node)];
      return node.columns.map((column, i) => made[i] ?? columnText(column));
    }
    case 'join':
      return [
        ...definitions(node.left).map((text) => `left.${text}`),
        ...definitions(node.right).map((text) => `right.${text}`),
      ];
  }
}

function callTexts(node: PlanNodeOf<'aggregate'>): readonly string[] {
  return node.calls.map(({ name, args, literals, type }) => {
    const given = args.map((arg) => `${meaningOf(arg, node.input)} ${printType(arg.type)}`);
    return `${name}(${[...given, ...literals.map(String)].join(', ')}) ${printType(type)}`;
  });
}

function meaningOf(expression: Parameters<typeof printExpression>[0], input: PlanNode): string {
  return printExpression(expression, definitions(input));
}

function pick(node: PlanNode, positions: readonly number[]): string {
  const texts = definitions(node);
  return `[${positions.map((position) => texts[position]!).join(', ')}]`;
}

function columnText({ name, type }: Column): string {
  return `${name} ${printType(type)}`;
}

function formatText({ name, wrapped, properties }: SideFormat): string {
  return JSON.stringify([name, wrapped, properties]);
}
