/**
 * Bounds, both inclusive, in the order of UTF-8 of what lies between two texts in SQL's order, which is that of UTF-16:
 * there characters above U+FFFF, written as surrogates, come before U+E000 and all up to U+FFFF. What else lies between
 * the bounds is for WHERE to leave out. Null: open.
 */
export function textBounds(
  lower: string | null,
  upper: string | null,
): { readonly lower: string | null; readonly upper: string | null } {
  return {
    lower: lower === null ? null : leastFrom(lower),
    upper: upper === null ? null : greatestTo(upper),
  };
}

/** Where the lower bound has a surrogate, greater texts may have U+E000 or more, which is less in UTF-8. */
function leastFrom(lower: string): string {
  const at = lower.search(/[\uD800-\uDFFF]/);
  return at < 0 ? lower : `${lower.slice(0, at)}\uE000`;
}

/** Where the upper bound has U+E000 or more, or half a character, lesser texts may have characters above U+FFFF. */
function greatestTo(upper: string): string | null {
  const at = upper.search(/[\uD800-\uDFFF\uE000-\uFFFF]/u);
  if (at < 0) return upper;
  // The least text above all that begin alike.
  const alike = Array.from(upper.slice(0, at));
  for (let last = alike.pop(); last !== undefined; last = alike.pop()) {
    const point = last.codePointAt(0)!;
    if (point === 0x10_ffff) continue;
    return `${alike.join('')}${String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)}`;
  }
  return null;
}
