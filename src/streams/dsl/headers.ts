import type { Header } from '../../log/record-batch.ts';
import { shown } from '../topology/record-time.ts';

/** Headers as a program gives them. Throws `TypeError`, which begins with `who`: what is no header would be written as one. */
export function headersOf(headers: readonly Header[], who: string): readonly Header[] {
  if (!Array.isArray(headers)) refuse(who, headers);
  for (const header of headers as readonly (Header | null | undefined)[])
    if (typeof header?.key !== 'string' || !(header.value === null || header.value instanceof Uint8Array))
      refuse(who, header);
  return headers;
}

function refuse(who: string, found: unknown): never {
  throw new TypeError(
    `${who} ${shown(found)} for headers: they are a list of { key, value }, a text and bytes or null (Buffer.from('text'))`,
  );
}
