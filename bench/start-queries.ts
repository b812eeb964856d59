import { writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BenchServer } from './server.ts';

export interface Queries {
  /** Of the broker: `host:port`. */
  readonly address: string;
  /** An empty directory for its files. */
  readonly directory: string;
  readonly serviceId: string;
  /** `name=value` each, as `--set` takes them. */
  readonly settings: readonly string[];
  readonly statements: readonly string[];
  /** Where to write a CPU profile when it ends. */
  readonly profile?: string | undefined;
}

/** A server of its own with these statements. Resolves when all its queries run. */
export function startQueries(queries: Queries): Promise<BenchServer> {
  const { address, directory, serviceId, settings, statements, profile } = queries;
  const script = join(directory, 'queries.sql');
  writeFileSync(script, statements.join('\n'));
  const profiling = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', resolve(dirname(profile))];
  if (profile !== undefined) profiling.push('--cpu-prof-name', basename(profile));
  const options = ['--kafka', address, '--service-id', serviceId, '--log-level', 'error'];
  for (const setting of settings) options.push('--set', setting);
  options.push('--data-dir', join(directory, 'data'), '--queries-file', script);
  return BenchServer.start(options, profiling);
}
