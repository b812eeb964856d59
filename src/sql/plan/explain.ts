import { printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import { printExpression } from '../expressions/print-expression.ts';
import { inputsOf } from './plan-inputs.ts';
import type { PlanNode, PlanNodeOf, ReadColumn } from './node.ts';
import type { SideFormat } from '../catalog/source.ts';
import type { WindowDefinition } from '../analyzer/analyzed-query.ts';

/**
 * The plan as an indented tree, one line for each node, inputs below it, columns by name. The text is a function of the plan
 * alone: EXPLAIN shows it and tests compare it.
 *
 * ```
 * sink BIG topic BIG key [ID] JSON value [AMOUNT] JSON
 *   project [ID, AMOUNT AS TOTAL]
 *     filter where AMOUNT > 10
 *       source ORDERS topic orders reads [ID, AMOUNT] of 8
 * ```
 */
export function explainPlan(plan: PlanNode): string {
  const lines: string[] = [];
  const walk = (node: PlanNode, depth: number): void => {
    lines.push(`${'  '.repeat(depth)}${describeNode(node)}`);
    for (const input of inputsOf(node)) walk(input, depth + 1);
  };
  walk(plan, 0);
  return `${lines.join('\n')}\n`;
}

const DESCRIBE: { readonly [K in PlanNode['kind']]: (node: PlanNodeOf<K>) => string } = {
  source: describeSource,
  filter: (node) => `filter ${node.clause} ${printExpression(node.predicate, namesOf(node.input))}`,
  project(node) {
    const items = node.expressions.map((expression, i) => {
      const text = printExpression(expression, namesOf(node.input));
      const name = node.columns[i]?.name ?? '?';
      return text === name ? text : `${text} AS ${name}`;
    });
    return `project [${items.join(', ')}]`;
  },
  'flat-map'(node) {
    const calls = node.functions.map(
      (call) =>
        `${call.name}(${call.args.map((arg) => printExpression(arg, namesOf(node.input))).join(', ')})`,
    );
    return `flat-map [${calls.join(', ')}]`;
  },
  repartition: (node) =>
    `repartition ${node.name} key [${keyText(node)}] ${formatText(node.keyFormat)} null keys ${node.nullKeys}${node.throughTopic ? '' : ' in place'}`,
  aggregate(node) {
    const names = namesOf(node.input);
    const calls = node.calls.map((call) => {
      const args = [
        ...call.args.map((arg) => printExpression(arg, namesOf(node.input))),
        ...call.literals.map(literalText),
      ];
      return `${call.name}(${args.join(', ')})`;
    });
    const groups = node.groupBy.map((position) => names[position] ?? '?');
    const window = node.windowing === null ? '' : ` window ${windowText(node.windowing)}`;
    return `aggregate ${node.store} by [${groups.join(', ')}] [${calls.join(', ')}]${window} emit ${node.emit}`;
  },
  join(node) {
    const within =
      node.within === null
        ? ''
        : ` within ${node.within.beforeMs} ms before, ${node.within.afterMs} ms after`;
    const on = node.foreignKey === null ? '' : ` on ${printExpression(node.foreignKey, namesOf(node.left))}`;
    return `join ${node.name} ${node.join} ${node.shape}${within}${on}`;
  },
  sink(node) {
    const names = namesOf(node.input);
    const pick = (positions: readonly number[]): string => positions.map((p) => names[p] ?? '?').join(', ');
    const time = node.timestamp === null ? '' : ` timestamp ${names[node.timestamp.column] ?? '?'}`;
    return (
      `sink ${node.sink} topic ${node.topic} key [${pick(node.keyPositions)}] ${formatText(node.keyFormat)}` +
      ` value [${pick(node.valuePositions)}] ${formatText(node.valueFormat)}${time}`
    );
  },
  output(node) {
    const names = namesOf(node.input);
    const columns = node.positions.map((position) => names[position] ?? '?').join(', ');
    return `output [${columns}]${node.limit === null ? '' : ` limit ${node.limit}`}`;
  },
};

/** One node, without its inputs. */
export function describeNode(node: PlanNode): string {
  return (DESCRIBE[node.kind] as (node: PlanNode) => string)(node);
}

function describeSource(node: PlanNodeOf<'source'>): string {
  const read = node.columns.filter((column) => column.wanted && !column.raw);
  const raw = node.columns.filter((column) => column.raw);
  const unread = node.columns.length - read.length - raw.length;
  const names = (columns: readonly ReadColumn[]): string => columns.map((column) => column.name).join(', ');
  const alias = node.alias === node.source ? '' : ` as ${node.alias}`;
  const window = node.window === null ? '' : ` window ${node.window.kind}`;
  return (
    `source ${node.source}${alias} ${node.changes} topic ${node.topic} reads [${names(read)}]` +
    (raw.length === 0 ? '' : ` passes [${names(raw)}]`) +
    (unread === 0 ? '' : ` skips ${unread}`) +
    window +
    (node.materialized ? ' materialized' : '')
  );
}

function namesOf(node: PlanNode): readonly string[] {
  return node.columns.map((column) => column.name);
}

function keyText(node: PlanNode): string {
  return node.key.map((position) => node.columns[position]?.name ?? '?').join(', ');
}

function formatText(format: SideFormat): string {
  const properties = format.properties.map(([name, value]) => ` ${name}='${value}'`).join('');
  return `${format.name}${format.wrapped ? '' : ' unwrapped'}${properties}`;
}

/** Literals of aggregates are numbers, booleans and strings. */
function literalText(literal: SqlValue): string {
  return typeof literal === 'bigint' ? literal.toString() : JSON.stringify(literal);
}

function windowText(window: WindowDefinition): string {
  const advance = window.advanceMs === window.sizeMs ? '' : ` every ${window.advanceMs} ms`;
  return `${window.kind} ${window.sizeMs} ms${advance} grace ${window.graceMs} ms`;
}

/** The columns of a plan with their types, for errors that name them. */
export function shapeText(node: PlanNode): string {
  const column = (name: string, type: SqlType): string => `${name} ${printType(type)}`;
  const window = node.window === null ? '' : ` ${node.window.kind} window`;
  const columns = node.columns.map((each) => column(each.name, each.type)).join(', ');
  return `${node.changes} [${columns}] key [${node.key.join(', ')}]${window}`;
}
