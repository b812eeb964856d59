import { propertyName } from '../properties.ts';
import type { Statement, WithProperty } from '../../sql/parser/ast.ts';

/** What a statement that changed the catalog made, ended, or needs, as keys: `source:S`, `type:T`, `function:F`, … */
export type CatalogKey = `${'source' | 'type' | 'function' | 'query' | 'paused' | 'property'}:${string}`;

/** `queryId`: null for every query. */
export interface QueryControl {
  readonly verb: 'terminate' | 'pause' | 'resume';
  readonly queryId: string | null;
}

/** The id of the query that a statement makes; null where it makes none. `sequence`: the next number for names. */
export function queryIdOf(statement: Statement, sequence: number): string | null {
  switch (statement.kind) {
    case 'createSourceAs':
      return `${statement.sourceKind === 'table' ? 'CTAS' : 'CSAS'}_${statement.name}_${sequence}`;
    case 'createSource':
      // Whether its rows are kept is known later; an id that nothing has does no harm.
      return statement.readOnly && statement.sourceKind === 'table'
        ? `CST_${statement.name}_${sequence}`
        : null;
    case 'insertSelect': {
      const given = statement.properties.find(({ name }) => name === 'QUERY_ID')?.value;
      return given?.kind === 'string' ? given.value.toUpperCase() : `INSERTQUERY_${sequence}`;
    }
    default:
      return null;
  }
}

/** The stream, table, type, function or property that a statement defines; null where it defines none. */
export function definedBy(statement: Statement): CatalogKey | null {
  switch (statement.kind) {
    case 'createSource':
    case 'createSourceAs':
    case 'alterSource':
      return `source:${statement.name}`;
    case 'createType':
      return `type:${statement.name}`;
    case 'createFunction':
      return `function:${statement.name}`;
    case 'alterSystem':
      return `property:${propertyName(statement.name)}`;
    default:
      return null;
  }
}

/** What a statement drops; null where it drops nothing. */
export function droppedBy(statement: Statement): CatalogKey | null {
  switch (statement.kind) {
    case 'dropSource':
      return `source:${statement.name}`;
    case 'dropType':
      return `type:${statement.name}`;
    case 'dropFunction':
      return `function:${statement.name}`;
    default:
      return null;
  }
}

/** What a statement only adds to, so that it needs what defined it before; null where it adds to nothing. */
export function addedToBy(statement: Statement): CatalogKey | null {
  return statement.kind === 'alterSource' ? definedBy(statement) : null;
}

/** The stream or table that the query of a statement writes; null where it makes no query, or one that only keeps rows. */
export function sinkOf(statement: Statement): string | null {
  switch (statement.kind) {
    case 'createSourceAs':
      return statement.name;
    case 'insertSelect':
      return statement.target;
    default:
      return null;
  }
}

/** What a statement does to queries that run; null where it does nothing to any. */
export function controlOf(statement: Statement): QueryControl | null {
  switch (statement.kind) {
    case 'terminate':
    case 'pause':
    case 'resume':
      return { verb: statement.kind, queryId: statement.queryId };
    default:
      return null;
  }
}

/** The text of a property in WITH. */
export function propertyText(properties: readonly WithProperty[], name: string): string | undefined {
  const value = properties.find((property) => property.name.toUpperCase() === name)?.value;
  return value !== undefined && 'value' in value ? String(value.value) : undefined;
}

/** Every stream, table, type and function that a statement works with, apart from the one that it defines. */
export function mentionedBy(statement: Statement): ReadonlySet<CatalogKey> {
  const keys = new Set<CatalogKey>();
  if (statement.kind === 'insertSelect' || statement.kind === 'insertValues')
    keys.add(`source:${statement.target}`);
  if (statement.kind === 'describeSource') keys.add(`source:${statement.name}`);
  // Expressions may be too deep for a walk that calls itself.
  const pending: unknown[] = [statement];
  while (pending.length > 0) {
    const node = pending.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { kind, name } = node as { readonly kind?: unknown; readonly name?: unknown };
    if (typeof name === 'string') {
      if (kind === 'source') keys.add(`source:${name}`);
      if (kind === 'namedType') keys.add(`type:${name}`);
      if (kind === 'call') keys.add(`function:${name}`);
    }
    for (const part of Object.values(node)) pending.push(part);
  }
  return keys;
}
