import { editDistance } from './edit-distance.ts';

/** Nobody means a name that is so far away, or further. */
const DISTANCE_MAX = 9;

/** The known name that was most likely meant. Letters may be wrong, missing, too many, or two of them in each other's place. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong: more is another word.
  let bestDistance = DISTANCE_MAX;
  for (const candidate of known) {
    const distance = editDistance(name.toUpperCase(), candidate.toUpperCase(), DISTANCE_MAX);
    if (distance < bestDistance && distance <= Math.max(name.length, candidate.length) / 3) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
