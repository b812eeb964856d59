import { assert } from '../../common/assert.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { CatalogSource } from './source.ts';

/** The sources that a persistent query reads and writes, by name. `writes` is null for a query that only keeps rows. */
export interface QueryReferences {
  readonly reads: readonly string[];
  readonly writes: string | null;
}

/**
 * The streams, tables and user types of a service, and which queries use them. What it holds is immutable; a `copy`
 * is cheap and independent, so that statements can be tried before they are done. It checks nothing about users:
 * whether a name is free or a source may go is asked by the analyzer and the statements.
 */
export class Catalog {
  readonly #sources: Map<string, CatalogSource>;
  readonly #types: Map<string, SqlType>;
  readonly #queries: Map<string, QueryReferences>;

  constructor(from?: Catalog) {
    this.#sources = new Map(from?.sources().map((source) => [source.name, source]));
    this.#types = new Map(from?.types());
    this.#queries = new Map(from?.queries());
  }

  copy(): Catalog {
    return new Catalog(this);
  }

  /** A copy that lacks a source. */
  without(name: string): Catalog {
    const copy = this.copy();
    copy.#sources.delete(name);
    return copy;
  }

  get(name: string): CatalogSource | undefined {
    return this.#sources.get(name);
  }

  has(name: string): boolean {
    return this.#sources.has(name);
  }

  /** In the order in which they were added. */
  sources(): readonly CatalogSource[] {
    return [...this.#sources.values()];
  }

  add(source: CatalogSource): void {
    assert(!this.#sources.has(source.name), `${source.name} is in the catalog already`);
    this.#sources.set(source.name, source);
  }

  /** Puts a source in the place of the one with its name. */
  replace(source: CatalogSource): void {
    assert(this.#sources.has(source.name), `${source.name} is not in the catalog`);
    this.#sources.set(source.name, source);
  }

  remove(name: string): void {
    assert(this.#sources.delete(name), `${name} is not in the catalog`);
  }

  type(name: string): SqlType | undefined {
    return this.#types.get(name);
  }

  types(): readonly (readonly [name: string, type: SqlType])[] {
    return [...this.#types];
  }

  addType(name: string, type: SqlType): void {
    assert(!this.#types.has(name), `type ${name} is in the catalog already`);
    this.#types.set(name, type);
  }

  removeType(name: string): void {
    assert(this.#types.delete(name), `type ${name} is not in the catalog`);
  }

  queries(): readonly (readonly [queryId: string, references: QueryReferences])[] {
    return [...this.#queries];
  }

  /** Notes what a query reads and writes; again for the same id when it was replaced. */
  addQuery(queryId: string, references: QueryReferences): void {
    this.#queries.set(queryId, references);
  }

  removeQuery(queryId: string): void {
    this.#queries.delete(queryId);
  }

  /** Ids of the queries that read the source. */
  readersOf(name: string): readonly string[] {
    return this.queries().flatMap(([id, references]) => (references.reads.includes(name) ? [id] : []));
  }

  /** Ids of the queries that write the source: the one that created it, and INSERT INTO … SELECT. */
  writersOf(name: string): readonly string[] {
    return this.queries().flatMap(([id, references]) => (references.writes === name ? [id] : []));
  }
}
