/** A record's time: whole milliseconds since the epoch, from 0 on. Nothing else may reach a store or the log. */
export function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** `value` if it is a time. Throws `TypeError` that begins with `who`: the program is at fault, not the data. */
export function timeOf(value: unknown, who: string): number {
  if (isTime(value)) return value;
  throw new TypeError(`${who} ${shown(value)} for a time: it takes whole milliseconds of 0 or more`);
}

/** A value as a message names it: texts with quotes, objects by their class. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null)
    return `a value of class ${String(value.constructor?.name ?? 'Object')}`;
  return String(value);
}
