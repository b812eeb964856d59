/** What a client brings along from statement to statement: SET properties and DEFINEd variables. */
export interface Session {
  /** By full name (`auto.offset.reset`), without the `ksql.streams.` prefix. */
  readonly properties: Map<string, string>;
  /** By upper-case name. */
  readonly variables: Map<string, string>;
}

export function newSession(): Session {
  return { properties: new Map(), variables: new Map() };
}
