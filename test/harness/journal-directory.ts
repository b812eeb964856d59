import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EmbeddedLogOptions } from '../../src/log/embedded/embedded-log.ts';
import { LogError } from '../../src/log/log.ts';
import type { Log } from '../../src/log/log.ts';

/** The files of a directory by name; what holds the lock is left out, and so are directories. */
export type Files = ReadonlyMap<string, Buffer>;

export function readFiles(directory: string): Files {
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(directory).sort())
    if (name !== 'lock' && statSync(join(directory, name)).isFile())
      files.set(name, readFileSync(join(directory, name)));
  return files;
}

/** Makes the directory what `files` says. */
export function writeFiles(directory: string, files: Files): void {
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory))
    if (!files.has(name)) rmSync(join(directory, name), { recursive: true });
  for (const [name, bytes] of files) {
    const path = join(directory, name);
    if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
  }
}

export function sameFiles(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([name, bytes]) => b.get(name)?.equals(bytes) === true);
}

/** Everything in a log: `topic-partition` to its records as `offset:value`, and `group GROUP` to its commits. */
export type Content = ReadonlyMap<string, readonly string[]>;

export interface Opened {
  /** Null when the log could not be opened. */
  readonly content: Content | null;
  /** What refused to open, or what a reader was told. */
  readonly error: LogError | null;
  readonly warnings: readonly {
    readonly fields: Readonly<Record<string, unknown>>;
    readonly message: string;
  }[];
}

/** Opens the log of a directory, reads all of it, and closes it. Throws whatever is no `LogError` `corrupt`. */
export async function openAndRead(
  directory: string,
  groups: readonly string[],
  options: Partial<EmbeddedLogOptions> = {},
  then: (log: Log) => Promise<void> = () => Promise.resolve(),
): Promise<Opened> {
  const warnings: Opened['warnings'][number][] = [];
  const warn = (fields: object, message: string): void =>
    void warnings.push({ fields: { ...fields }, message });
  let log: Log;
  try {
    log = await openEmbeddedLog({
      clock: systemClock,
      logger: { ...silentLogger, warn, error: warn },
      directory,
      ...options,
    });
  } catch (error) {
    return { content: null, error: corrupt(error), warnings };
  }
  try {
    const read = await readContent(log, groups);
    await then(log);
    return { ...read, warnings };
  } finally {
    await log.close();
  }
}

/** What can be read of each partition, and the last error that reading met. */
export async function readContent(
  log: Log,
  groups: readonly string[],
): Promise<{ readonly content: Content; readonly error: LogError | null }> {
  const content = new Map<string, string[]>();
  let failure: LogError | null = null;
  for (const topic of await log.admin.listTopics())
    for (const [partition, { start, end }] of (await log.admin.offsets(topic)).entries()) {
      const found: string[] = [];
      content.set(`${topic}-${partition}`, found);
      const reader = log.openReader();
      reader.assign({ topic, partition, offset: start });
      try {
        while (reader.position({ topic, partition }) < end)
          for (const { buffer, first, count, offsets, valueStart, valueEnd } of await reader.poll(0))
            for (let i = first; i < count; i++)
              found.push(`${offsets[i]}:${buffer.toString('latin1', valueStart[i], valueEnd[i])}`);
      } catch (error) {
        failure = corrupt(error);
      } finally {
        await reader.close();
      }
    }
  for (const group of groups) {
    const offsets = await log.admin.committed(group);
    content.set(
      `group ${group}`,
      offsets.map((o) => `${o.topic}-${o.partition} ${o.offset} ${o.metadata}`),
    );
  }
  return { content, error: failure };
}

function corrupt(error: unknown): LogError {
  if (error instanceof LogError && error.kind === 'corrupt') return error;
  throw error;
}
