/** A client's state from statement to statement: SET properties and DEFINEd variables. */
export interface Session {
  /** By full name (`auto.offset.reset`), without the `ksql.streams.` prefix. */
  readonly properties: Map<string, string>;
  /** By upper-case name. */
  readonly variables: Map<string, string>;
  /** Where the next ASSERT VALUES looks: the offset of a partition, by topic and partition. */
  readonly asserted: Map<string, Map<number, number>>;
}

export function newSession(): Session {
  return { properties: new Map(), variables: new Map(), asserted: new Map() };
}
