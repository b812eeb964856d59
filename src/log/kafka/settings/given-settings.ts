import type { GivenSetting } from '../../../common/properties-file.ts';
import { describeRange, readWholeNumber, type WholeRange } from '../../../common/whole-number.ts';

/** A setting that is unknown, refused or has a bad value. The message names where it was given, and no secret. */
export class SettingError extends Error {
  override readonly name = 'SettingError';

  constructor({ name, where }: Pick<GivenSetting, 'name' | 'where'>, what: string) {
    super(`${where}: ${name} ${what}`);
  }
}

/** Values that no message may show. */
function isSecret(name: string): boolean {
  return /password|passphrase|secret|jaas|keystore\.key$|key\.pem$|credentials|token|assertion/.test(name);
}

/** How much of a value a message shows. */
const SHOWN_MAX = 60;

/**
 * Settings by the names that their readers know. Of a setting that was given several times the last counts, and one for a
 * client alone (`producer.…`) goes before one for all. Remembers what was asked for: tests compare it with the table.
 */
export class GivenSettings {
  readonly asked = new Set<string>();
  readonly #settings: ReadonlyMap<string, GivenSetting>;

  constructor(settings: ReadonlyMap<string, GivenSetting>) {
    this.#settings = settings;
  }

  /** The first of these names that was given; an empty value is as good as none, unless `emptyToo`. */
  setting(names: string, emptyToo = false): GivenSetting | undefined {
    let found: GivenSetting | undefined;
    for (const name of names.split(' ')) {
      this.asked.add(name);
      const given = this.#settings.get(name);
      if (given !== undefined && (emptyToo || given.value.trim() !== '')) found ??= given;
    }
    return found;
  }

  text(names: string): string | undefined {
    return this.setting(names)?.value.trim();
  }

  /** As it stands, blanks and all: passwords may begin or end with them. */
  secret(names: string): string | undefined {
    return this.setting(names)?.value;
  }

  oneOf<T extends string>(names: string, values: readonly T[]): T | undefined {
    const given = this.setting(names);
    if (given === undefined) return undefined;
    const upper = given.value.trim().toUpperCase();
    const value = values.find((each) => each.toUpperCase() === upper);
    if (value === undefined) throw badValue(given, values.join(', '));
    return value;
  }

  truth(names: string): boolean | undefined {
    const value = this.oneOf(names, ['true', 'false']);
    return value === undefined ? undefined : value === 'true';
  }

  whole(names: string, range: WholeRange): number | undefined {
    const given = this.setting(names);
    if (given === undefined) return undefined;
    const value = readWholeNumber(given.value.trim(), range);
    if (value === null) throw badValue(given, describeRange(range));
    return value;
  }
}

function badValue(given: GivenSetting, allowed: string): SettingError {
  const { name, value } = given;
  const shown = value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value;
  return new SettingError(given, `must be ${allowed}${isSecret(name) ? '' : `, not '${shown}'`}`);
}
