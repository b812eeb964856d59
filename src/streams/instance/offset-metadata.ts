/** Operator numbers as offset metadata, which the broker limits to 4,096 bytes: too many are left out. */
export function encodeNumbers(numbers: Readonly<Record<string, number>>): string {
  const text = JSON.stringify(numbers);
  return text.length <= 4000 ? text : '';
}

/** None where the metadata is somebody else's. */
export function decodeNumbers(text: string): Record<string, number> {
  if (!text.startsWith('{')) return {};
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    return {};
  }
}
