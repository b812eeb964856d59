/** Who imports whom: files by path. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The files that reach themselves through what they import, each circle with all that take part in it (a strongly
 * connected component, found as Tarjan does), in the order of their names.
 */
export function circlesIn(graph: ImportGraph): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const indexes = new Map<string, number>();
  const open: string[] = [];
  /** Returns the earliest open file that is reached from `file`. */
  const visit = (file: string): number => {
    const index = indexes.size;
    indexes.set(file, index);
    const place = open.push(file) - 1;
    let earliest = index;
    for (const next of graph.get(file) ?? [])
      if (!indexes.has(next)) earliest = Math.min(earliest, visit(next));
      else if (open.includes(next)) earliest = Math.min(earliest, indexes.get(next)!);
    if (earliest < index) return earliest;
    const circle = open.splice(place).sort();
    if (circle.length > 1 || graph.get(file)?.includes(file) === true) circles.push(circle);
    return earliest;
  };
  for (const file of graph.keys()) if (!indexes.has(file)) visit(file);
  return circles.sort(([a], [b]) => (a! < b! ? -1 : 1));
}
