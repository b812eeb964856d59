import { SeededRandom } from '../../harness/random.ts';

/**
 * What queries of a world read: two streams and two tables, in several partitions, whose records come in phases. All
 * partitions together are in the order of time, but for records that are marked as late; many have the same time.
 */

export type TopicName = 'S' | 'R' | 'T' | 'U';
export type Cell = number | string | null;
export type Cells = Readonly<Record<string, Cell>>;

export const COLUMNS = ['ID', 'G', 'H', 'F', 'V'] as const;

export interface WorldRecord {
  readonly topic: TopicName;
  readonly key: number;
  /** Null: the table's row is removed. */
  readonly value: Cells | null;
  /** What stands in place of a value, and cannot be read. */
  readonly wrong: string | null;
  readonly time: number;
  /** The greatest time of the records in its partition up to it: when one reader of all partitions comes to it. */
  readonly turn: number;
  readonly partition: number;
  readonly phase: number;
  /** A copy of an earlier record of its partition, from long before: no window waits for it. */
  readonly late: boolean;
}

export interface World {
  readonly partitions: Readonly<Record<TopicName, number>>;
  /** Streams whose records lie in any partition, whatever their key. */
  readonly scattered: ReadonlySet<TopicName>;
  readonly records: readonly WorldRecord[];
  readonly phases: number;
  /** How far a record may be older than one before it, in milliseconds. */
  readonly jitterMs: number;
  readonly hasBursts: boolean;
  readonly hasUnreadable: boolean;
  readonly hasLate: boolean;
}

/** What a world can do without, to see what a failure depends on. */
export type Trait = 'interruptions' | 'partitions' | 'equal times' | 'unreadable records' | 'late records';

const START_MS = 1_600_000_000_000;
/** How much older a late record is than the one that it is a copy of. */
export const LATE_MS = 10 * 86_400_000;
const TOPICS: readonly TopicName[] = ['S', 'R', 'T', 'U'];

export const isTable = (topic: TopicName): boolean => topic === 'T' || topic === 'U';

export function generateWorld(seed: number, phases: number, without: ReadonlySet<Trait>): World {
  const random = new SeededRandom(seed ^ 0x2545f491);
  const all = random.pick([1, 2, 3, 3, 4]);
  const differ = random.chance(0.25);
  const partitions = Object.fromEntries(
    TOPICS.map((topic) => {
      const own = random.integer(1, 4);
      return [topic, without.has('partitions') ? 1 : differ ? own : all];
    }),
  ) as Record<TopicName, number>;
  const scattered = new Set<TopicName>((['S', 'R'] as const).filter(() => random.chance(0.25)));
  const hasBursts = random.chance(0.5);
  const hasUnreadable = random.chance(0.3);
  const hasLate = random.chance(0.25);
  const jitterMs = random.chance(0.25) ? 2000 : 0;
  const jumpMs = random.pick([5000, 600_000, 7_200_000, 259_200_000]);
  const records: WorldRecord[] = [];
  const turns = new Map<string, number>();
  let now = START_MS;
  let id = 0;
  const add = (
    made: Omit<WorldRecord, 'turn' | 'partition' | 'phase'>,
    place: number,
    phase: number,
  ): void => {
    const count = partitions[made.topic];
    const partition = scattered.has(made.topic) ? place % count : partitionOf(String(made.key), count);
    const at = `${made.topic} ${partition}`;
    const turn = Math.max(turns.get(at) ?? -1, made.time);
    turns.set(at, turn);
    records.push({ ...made, turn, partition, phase });
  };
  for (let phase = 0; phase < phases; phase++) {
    // So that records of a phase come after those of earlier ones, also by time.
    now += jitterMs + 1;
    for (let left = phase === 0 ? random.integer(20, 60) : random.integer(4, 20); left > 0; left--) {
      const isBurst = hasBursts && random.chance(0.55);
      const step = random.chance(0.7) ? random.integer(1, 900) : random.integer(1, jumpMs);
      now += isBurst && !without.has('equal times') ? 0 : step;
      const topic = random.pick<TopicName>(['S', 'S', 'S', 'R', 'R', 'T', 'T', 'U']);
      const time = now - (random.chance(0.3) ? random.integer(0, jitterMs) : 0);
      const value: Cells = {
        ID: id++,
        G: random.chance(0.08) ? null : random.pick(['a', 'b', 'c', 'd', 'e']),
        H: random.chance(0.08) ? null : random.integer(0, 4),
        F: random.chance(0.08) ? null : random.integer(0, 5),
        V: random.chance(0.08) ? null : random.integer(-20, 20),
      };
      const isRemoval = random.chance(0.1) && isTable(topic);
      const drawn = random.chance(0.12)
        ? random.pick(['garbage{{', `{"ID":${value['ID']},"V":"x"}`, '{"ID":1,"G":', '[1]', '17'])
        : null;
      const wrong = hasUnreadable && !without.has('unreadable records') ? drawn : null;
      const key = random.integer(0, 5);
      const place = random.integer(0, 11);
      const made = { topic, key, value: isRemoval ? null : value, wrong, late: false };
      add({ ...made, time }, place, phase);
      if (!random.chance(0.1) || isTable(topic)) continue;
      const copied = { ...value, ID: id++ };
      if (!hasLate || wrong !== null || without.has('late records')) continue;
      add({ ...made, value: copied, time: time - LATE_MS, late: true }, place, phase);
    }
  }
  return { partitions, scattered, records, phases, jitterMs, hasBursts, hasUnreadable, hasLate };
}

/** Kafka's: murmur2 of the key's bytes. */
function partitionOf(key: string, partitions: number): number {
  const bytes = Buffer.from(key);
  const m = 0x5bd1e995;
  let hash = 0x9747b28c ^ bytes.length;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    let k = Math.imul(bytes.readInt32LE(i), m);
    k = Math.imul(k ^ (k >>> 24), m);
    hash = Math.imul(hash, m) ^ k;
  }
  for (let rest = bytes.length - i; rest > 0; rest--) hash ^= bytes[i + rest - 1]! << (8 * (rest - 1));
  if (bytes.length > i) hash = Math.imul(hash, m);
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return ((hash ^ (hash >>> 15)) & 0x7fffffff) % partitions;
}

export function textOfValue({ value, wrong }: WorldRecord): string | null {
  return wrong ?? (value === null ? null : JSON.stringify(value));
}
