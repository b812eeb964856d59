// Real data for the examples: the project's licence as lines of text, and data sets of the vega-datasets package.
import { readFileSync } from 'node:fs';

const ROOT = new URL('../', import.meta.url);

export function licenceLines() {
  return readFileSync(new URL('LICENSE', ROOT), 'utf8')
    .split('\n')
    .map((line) => line.trim());
}

/** The rows of a CSV data set as objects. */
export function csv(name) {
  const text = readFileSync(new URL(`node_modules/vega-datasets/data/${name}`, ROOT), 'utf8');
  const [header, ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(header.map((column, i) => [column, row[i]])));
}
