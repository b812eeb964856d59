import type { GivenSetting } from '../../../common/properties-file.ts';
import { SettingError } from './given-settings.ts';

/** The one entry of a `sasl.jaas.config`: `package.PlainLoginModule required name="value" …;`. */
export interface JaasEntry {
  /** Without its package, which repackaged clients change. */
  readonly module: string;
  readonly options: ReadonlyMap<string, string>;
}

const FLAGS = ['required', 'requisite', 'sufficient', 'optional'];

/**
 * As Kafka reads it: words, or texts in quotes where a backslash stands before a character that means itself. Throws
 * `SettingError`, which shows nothing of the text: passwords are in it.
 */
export function parseJaas(given: GivenSetting): JaasEntry {
  const fail = (what: string): never => {
    throw new SettingError(
      given,
      `must be one entry such as \`…PlainLoginModule required username="…" password="…";\`: ${what}`,
    );
  };
  const tokens = tokensOf(given.value) ?? fail('a quote is not closed');
  const [module, flag] = tokens;
  if (module?.kind !== 'word') return fail('it begins with the name of a login module');
  if (flag?.kind !== 'word' || !FLAGS.includes(flag.text.toLowerCase()))
    return fail(`behind the login module stands ${FLAGS.join(', ')}`);
  const options = new Map<string, string>();
  let at = 2;
  for (; at < tokens.length && tokens[at]!.text !== ';'; at += 3) {
    const [name, equals, value] = tokens.slice(at, at + 3);
    if (name?.kind !== 'word' || equals?.text !== '=' || value === undefined || value.kind === 'sign')
      return fail('options are written name="value"');
    options.set(name.text, value.text);
  }
  if (tokens[at]?.text !== ';') fail('a semicolon ends it');
  if (at + 1 < tokens.length) fail('there is more behind its semicolon');
  return { module: module.text.split('.').at(-1)!, options };
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'sign';
  readonly text: string;
}

function tokensOf(text: string): Token[] | null {
  const pattern = /\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s"'=;]+)|([=;]))|\s+$/gsy;
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return null;
    const [, double, single, word, sign] = match;
    const quoted = double ?? single;
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.replaceAll(/\\(.)/gs, '$1') });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
  }
  return tokens;
}
