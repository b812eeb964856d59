/** The functions that users would write, in the topology and in the model alike. Plain, and of nothing but their arguments. */

export type Value = string | number | readonly string[];

export function textOf(value: Value | null): string {
  return value === null ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** 32-bit FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Keeps values from growing for ever. */
export function short(text: string): string {
  return text.length <= 24 ? text : `${text.slice(0, 14)}~${hashOf(text).toString(36)}`;
}

/** Keys that begin with others, that are empty, and of more than ASCII. */
export const KEYS = ['k0', 'k1', 'k', '', 'k0\u0000', 'é', 'k10', 'K0'];

export function keyFor(value: Value, count: number): string {
  return KEYS[hashOf(textOf(value)) % Math.min(count, KEYS.length)]!;
}

export function passes(value: Value, mod: number, rem: number): boolean {
  return hashOf(textOf(value)) % mod === rem;
}

export function mapped(value: Value, add: number): string {
  return short(`${textOf(value)}+${add}`);
}

export function joined(left: Value | null, right: Value | null): string {
  return short(`(${textOf(left)}|${textOf(right)})`);
}

export function spread(value: Value | null, count: number): string[] {
  if (value === null) return [];
  return Array.from({ length: hashOf(textOf(value)) % count }, (_, i) => short(`${textOf(value)}.${i}`));
}

/** A record's time, by its value: negative for a record that is left out. */
export function extracted(value: Value | null, timestamp: number, partitionTime: number): number {
  if (value === null) return timestamp;
  const choice = hashOf(textOf(value)) % 8;
  if (choice === 0) return -1;
  if (choice === 1 && partitionTime >= 0) return partitionTime;
  return choice === 2 ? timestamp + 11 : timestamp;
}

export function scatteredTo(value: Value | null, partitions: number): number {
  return hashOf(textOf(value)) % partitions;
}

/** Everywhere, nowhere, where the key belongs (-1), or elsewhere. */
export function writtenTo(value: Value | null, partitions: number): number | readonly number[] {
  const choice = hashOf(textOf(value)) % 5;
  if (choice === 0) return [];
  if (choice === 1) return Array.from({ length: partitions }, (_, i) => partitions - 1 - i);
  return choice === 2 ? -1 : scatteredTo(value, partitions);
}

export const CUSTOM_SIZE_MS = 30;

/** Windows of two lengths in turn, of which the longer reaches into the next. */
export function customWindows(timestamp: number): { readonly start: number; readonly end: number }[] {
  const last = Math.floor(timestamp / 20) * 20;
  return [last - 20, last]
    .filter((start) => start >= 0 && timestamp < start + customLength(start))
    .map((start) => ({ start, end: start + customLength(start) }));
}

export function customLength(start: number): number {
  return start % 40 === 0 ? 20 : CUSTOM_SIZE_MS;
}

/** Order matters in all of these: what is aggregated in another order is found out. */
export function appended(state: readonly string[], value: Value | null, by = ''): string[] {
  return [...state, by + textOf(value)].slice(-6);
}

export function withdrawn(state: readonly string[], value: Value): string[] {
  const at = state.indexOf(textOf(value));
  return at < 0 ? [...state, `!${textOf(value)}`].slice(-6) : state.filter((_, i) => i !== at);
}

export function merged(left: readonly string[], right: readonly string[]): string[] {
  return [...left, ...right].slice(-6);
}

export function reduced(state: string, value: string): string {
  return short(`${state},${value}`);
}

export function unreduced(state: string, value: string): string {
  return short(`${state}/${value}`);
}
