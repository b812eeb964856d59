/** A hint for a name that does not exist: the nearest one that does, or `otherwise`. */
export function suggest(name: string, known: Iterable<string>, otherwise: string): string {
  let best: string | undefined;
  // A third of the letters may be wrong: more is another word.
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance = editDistance(name.toUpperCase(), candidate.toUpperCase());
    if (distance < bestDistance && distance <= Math.max(name.length, candidate.length) / 3) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? otherwise : `did you mean ${best}?`;
}

/** Levenshtein distance with neighbours that changed places counted once. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Infinity;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
