import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import type { Logger } from '../../src/common/logger.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { Engine, EngineOptions } from '../../src/engine/engine.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../src/log/log.ts';
import type { Row } from '../../src/types/value.ts';
import { execute, openEngine } from '../harness/open-engine.ts';

/** What was kept of a release, and the service that made it. */

export const COMPAT = fileURLToPath(new URL('.', import.meta.url));

export function textOf(release: string, file: string): string {
  return readFileSync(join(COMPAT, release, file), 'utf8');
}

/** A clock that shows `nowMs` now: topics keep records for days, and what was kept is older. */
export function clockAt(nowMs: number): Clock {
  const shift = nowMs - systemClock.now();
  return {
    now: () => systemClock.now() + shift,
    monotonic: () => systemClock.monotonic(),
    setTimer: (delayMs, action) => systemClock.setTimer(delayMs, action),
  };
}

/** An engine over a data directory, or over `log`. `warnings` gets what it warns of. */
export async function openService(
  directory: string | null,
  clock: Clock,
  options: Partial<EngineOptions>,
  warnings: unknown[] = [],
  log: Log | null = null,
): Promise<Engine> {
  const warn: Logger['warn'] = (fields, message) => {
    // Some rows have no key to be grouped by.
    if (!message.startsWith('record skipped')) warnings.push([message, fields]);
  };
  const logger: Logger = { ...silentLogger, warn, error: warn };
  return openEngine(null, {
    log:
      log ??
      (await openEmbeddedLog({
        clock,
        logger,
        ...(directory === null ? {} : { directory: join(directory, 'log') }),
      })),
    stateDirectory: directory === null ? null : join(directory, 'state'),
    clock,
    logger,
    serviceId: 'compat_',
    commandLog: true,
    ...options,
  });
}

/** What each query of `reads` finds when all is processed: rows as JSON, in any order. */
export async function rowsOf(engine: Engine, reads: string): Promise<Record<string, readonly string[]>> {
  await engine.drain();
  const found: Record<string, readonly string[]> = {};
  for (const sql of reads.split('\n').filter((line) => line !== '')) {
    const { rows } = await execute(engine, sql);
    found[sql] = rows.map(textOfRow).sort();
  }
  return found;
}

function textOfRow(row: Row): string {
  return JSON.stringify(row, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

/** All files below a directory, as one compressed text. */
export function pack(directory: string): Buffer {
  const files: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const file = join(path, name);
      if (statSync(file).isDirectory()) walk(file);
      else files[relative(directory, file)] = readFileSync(file).toString('base64');
    }
  };
  walk(directory);
  return gzipSync(JSON.stringify(files), { level: 9 });
}

export function unpack(packed: Buffer, directory: string): void {
  const files = JSON.parse(gunzipSync(packed).toString()) as Record<string, string>;
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(content, 'base64'));
  }
}
