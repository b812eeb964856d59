import { ABSENT_FORMATS } from '../formats/every-format.ts';

/** Why a test cannot run whose statements and properties name a format that this release does not have, else null. */
export function missingFormats(texts: readonly string[], formats: readonly string[] = []): string | null {
  const used = new Set(formats.map((name) => name.toUpperCase()));
  for (const text of texts)
    for (const match of text.matchAll(/format(?:\.key|\.value)?'?\s*=\s*'(\w+)'/gi))
      used.add(match[1]!.toUpperCase());
  const absent = ABSENT_FORMATS.filter(({ name }) => used.has(name));
  if (absent.length === 0) return null;
  if (absent.some(({ registered }) => registered)) return 'needs a schema registry';
  return `needs a format that this release does not have: ${absent.map(({ name }) => name).join(', ')}`;
}
