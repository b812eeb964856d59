/** The JSON texts of a JSON array's elements, untouched: numbers keep every digit. */
export function cellsOf(array: string): string[] {
  const cells: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 1; i < array.length - 1; i++) {
    const c = array[i]!;
    if (c === '"') {
      for (i++; array[i] !== '"'; i++) if (array[i] === '\\') i++;
    } else if (c === '[' || c === '{') depth++;
    else if (c === ']' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      cells.push(array.slice(start, i));
      start = i + 1;
    }
  }
  if (array.length > 2) cells.push(array.slice(start, array.length - 1));
  return cells;
}
