/**
 * Files of settings as Java's `Properties.load` reads them: `name=value`, `name: value` or `name value` a line; lines
 * that begin with `#` or `!` are comments; a backslash at the end of a line joins the next to it without its blanks at
 * the beginning; `\t`, `\n`, `\r`, `\f` and `\u0041` are what they are in Java, and a backslash before anything else
 * stands for that. Unlike there the text is UTF-8.
 */

/** One setting, and where it was given: for errors. */
export interface GivenSetting {
  readonly name: string;
  readonly value: string;
  /** `FILE line 3`, or the name of the environment variable or option. */
  readonly where: string;
}

/** The settings of a file's text, in order; a name may come several times. `file` is for errors only. */
export function parseProperties(text: string, file: string): GivenSetting[] {
  const settings: GivenSetting[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    const where = `${file} line ${i + 1}`;
    let line = lines[i]!.trimStart();
    if (line === '' || /^[#!]/.test(line)) continue;
    while (isJoined(line) && i + 1 < lines.length) line = line.slice(0, -1) + lines[++i]!.trimStart();
    if (isJoined(line)) line = line.slice(0, -1);
    const name = /^(?:\\.|[^\\:=\s])*/s.exec(line)![0];
    const value = line.slice(name.length).replace(/^\s*[:=]?\s*/, '');
    settings.push({ name: unescape(name), value: unescape(value), where });
  }
  return settings;
}

/** Whether a line ends with a backslash that is not itself behind one. */
function isJoined(line: string): boolean {
  return /\\*$/.exec(line)![0].length % 2 === 1;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescape(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, letter: string) =>
    code === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(parseInt(code, 16)),
  );
}

/**
 * The settings that environment variables give: behind the prefix the name of the setting, in capitals, with `_` for a
 * dot, `__` for an underscore and `___` for a dash, as in Confluent's images. `isOther` picks variables that only begin
 * alike. Sorted, so that errors do not depend on the environment's order.
 */
export function environmentSettings(
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
  isOther: (variable: string) => boolean = () => false,
): GivenSetting[] {
  return Object.keys(environment)
    .filter(
      (variable) => variable.startsWith(prefix) && variable.length > prefix.length && !isOther(variable),
    )
    .sort()
    .map((variable) => ({
      name: settingOf(variable.slice(prefix.length)),
      value: environment[variable] ?? '',
      where: variable,
    }));
}

const SIGNS: readonly string[] = ['.', '_', '-'];

function settingOf(variable: string): string {
  return variable.toLowerCase().replaceAll(/_+/g, (run) => SIGNS[run.length - 1] ?? run);
}

/** The variable that gives a setting: `environmentSettings` the other way round. */
export function environmentVariable(prefix: string, name: string): string {
  return prefix + name.replaceAll(/[._-]/g, (sign) => '_'.repeat(SIGNS.indexOf(sign) + 1)).toUpperCase();
}
