/** What becomes of a setting of Kafka, Kafka Streams or ksqlDB. docs/kafka.md has the tables that are made of these. */
export interface SettingRow {
  /** Names that one sentence is true of, with blanks between them; `topic.*` stands for all that begin so. */
  readonly names: string;
  /**
   * - `honoured`: it does here what it does there.
   * - `mapped`: it is an option or a property here, which `because` names.
   * - `fixed`: it is so here always: `only` has the values that say so, and any other is refused.
   * - `idle`: it changes nothing here, and its absence changes neither results nor safety.
   * - `refused`: what it asks for does not happen here, and going on without it would not be what was meant.
   */
  readonly fate: 'honoured' | 'mapped' | 'fixed' | 'idle' | 'refused';
  /** What it does, stands for or why it does not. One sentence without a period, for people. */
  readonly because: string;
  /** Compared without regard to capitals. */
  readonly only?: readonly string[];
}

/** Kafka's and ksqlDB's prefixes of settings for one of their clients. Here all clients are one. */
const CLIENT_PREFIX =
  /^(?:ksql\.streams\.)?(?:(?:producer|consumer|main\.consumer|restore\.consumer|global\.consumer|admin)\.)?/;

/** The name of a setting without the client that it is for: `ksql.streams.producer.acks` is `acks`. */
export function withoutClient(name: string): string {
  return name.replace(CLIENT_PREFIX, '');
}

/** What a setting says of where and as whom to connect. */
export function isOfConnection(name: string): boolean {
  return /^(?:bootstrap\.servers|metadata\.broker\.list|security\.|sasl\.|ssl\.|enable\.ssl\.|enable\.sasl\.)/.test(
    name,
  );
}

/** Rows by name; of a name in several rows the last counts. */
export class SettingTable {
  readonly #rows = new Map<string, SettingRow>();
  readonly #families: (readonly [string, SettingRow])[] = [];

  constructor(rows: readonly SettingRow[]) {
    for (const row of rows)
      for (const name of row.names.split(/\s+/))
        if (name.endsWith('.*')) this.#families.push([name.slice(0, -1), row]);
        else this.#rows.set(name, row);
  }

  /** Every name but those of families. */
  get names(): Iterable<string> {
    return this.#rows.keys();
  }

  /** `name` without a client's prefix. */
  row(name: string): SettingRow | undefined {
    return (
      this.#rows.get(name) ??
      this.#families.find(([family]) => name.startsWith(family) && name.length > family.length)?.[1]
    );
  }
}

/** Why a row does not take a value, to stand behind the setting's name; null when it does. */
export function refusalOf({ fate, because, only }: SettingRow, value: string): string | null {
  const taken = only?.includes(value.trim().toLowerCase()) === true;
  if (taken || (fate === 'refused' && value.trim() === '')) return null;
  if (fate === 'fixed') return `must be ${only!.join(' or ')}: ${because}`;
  return fate === 'refused' ? `cannot be honoured: ${because}` : null;
}
