import { DataError } from '../../common/error.ts';

/** A path such as `$.a.b[0]['c d']`, as the names and positions it goes through. Throws `DataError`. */
export function parseJsonPath(path: string): readonly string[] {
  if (!path.startsWith('$')) throw new DataError(`the JSON path ${path} does not begin with $`);
  const steps: string[] = [];
  const pattern =
    /\.([^.[\]'"\s]+)|\[\s*(?:(\d+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\]'"\s-][^\]'"]*))\s*\]/y;
  let at = 1;
  while (at < path.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(path);
    if (match === null)
      throw new DataError(`the JSON path ${path} cannot be read from character ${at + 1} on`);
    const quoted = match[3] ?? match[4];
    steps.push(
      quoted === undefined ? (match[1] ?? match[2] ?? match[5])! : quoted.replaceAll(/\\(.)/g, '$1'),
    );
    at = pattern.lastIndex;
  }
  return steps;
}
