/** Committed with the offset of an input: how many partitions its topic had then. No operator has a number of this name. */
const PARTITIONS = 'partitions';

/**
 * The metadata of a committed offset, which the broker limits to 4,096 bytes: operators' numbers, which are left out when
 * they are too many, and the number of partitions of the input's topic, where it is known.
 */
export function encodeMetadata(
  numbers: Readonly<Record<string, number>> | null,
  partitions: number | undefined,
): string {
  const own = partitions === undefined ? '' : JSON.stringify({ [PARTITIONS]: partitions });
  if (numbers === null) return own;
  const text = JSON.stringify(partitions === undefined ? numbers : { ...numbers, [PARTITIONS]: partitions });
  return text.length <= 4000 ? text : own;
}

/** The operators' numbers. None where the metadata is somebody else's. */
export function decodeNumbers(text: string): Record<string, number> {
  const { [PARTITIONS]: _partitions, ...numbers } = decode(text);
  return numbers;
}

/** How many partitions the topic had; undefined where the metadata does not say. */
export function decodePartitions(text: string): number | undefined {
  return decode(text)[PARTITIONS];
}

function decode(text: string): Record<string, number> {
  if (!text.startsWith('{')) return {};
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    return {};
  }
}
