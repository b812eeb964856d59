import { FORMATS } from '../formats/every-format.ts';

/** ksqlDB's other formats: the first keep their schemas in a registry. */
const WITH_REGISTRY = ['AVRO', 'PROTOBUF', 'JSON_SR'];
const OTHERS = ['PROTOBUF_NOSR'];

/** Why a test cannot run whose statements and properties name a format that this release does not have, else null. */
export function missingFormats(texts: readonly string[], formats: readonly string[] = []): string | null {
  const used = new Set(formats.map((name) => name.toUpperCase()));
  for (const text of texts)
    for (const match of text.matchAll(/format(?:\.key|\.value)?'?\s*=\s*'(\w+)'/gi))
      used.add(match[1]!.toUpperCase());
  const isMissing = (name: string): boolean =>
    used.has(name) && !FORMATS.some((candidate) => candidate.name === name);
  if (WITH_REGISTRY.some(isMissing)) return 'needs a schema registry';
  const others = OTHERS.filter(isMissing);
  return others.length === 0 ? null : `needs a format that this release does not have: ${others.join(', ')}`;
}
