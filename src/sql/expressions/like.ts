/**
 * Compiles a LIKE pattern: `%` any run of characters, `_` one character, after `escape` the character itself. Runs in
 * time proportional to text × pattern at worst, whatever the pattern: on a mismatch only the latest `%` is made longer
 * (an earlier one could not do better).
 */
export function openLike(pattern: string, escape: string | null): (text: string) => boolean {
  // One entry a pattern element: a UTF-16 unit to be matched, or one of the two wildcards below zero.
  const elements: number[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const unit = pattern[i]!;
    if (escape !== null && unit === escape && i + 1 < pattern.length) elements.push(pattern.charCodeAt(++i));
    else if (unit === '%') {
      if (elements.at(-1) !== ANY_RUN) elements.push(ANY_RUN);
    } else elements.push(unit === '_' ? ANY_ONE : unit.charCodeAt(0));
  }

  return (text) => {
    let at = 0;
    let element = 0;
    let runElement = -1;
    let runEnd = 0;
    for (;;) {
      if (element < elements.length && elements[element] === ANY_RUN) {
        runElement = element++;
        runEnd = at;
        continue;
      }
      if (at === text.length && element === elements.length) return true;
      if (at < text.length && element < elements.length) {
        const unit = text.charCodeAt(at);
        const wanted = elements[element]!;
        if (wanted === unit || wanted === ANY_ONE) {
          // A pair of surrogates is one character.
          const pair =
            wanted === ANY_ONE && (unit & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
          at += pair ? 2 : 1;
          element++;
          continue;
        }
      }
      if (runElement < 0 || runEnd >= text.length) return false;
      at = ++runEnd;
      element = runElement + 1;
    }
  };
}

const ANY_RUN = -1;
const ANY_ONE = -2;
