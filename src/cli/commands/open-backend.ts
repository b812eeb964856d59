import type { Backend } from '../backend/backend.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Session } from '../../engine/session.ts';
import type { CommonOptions } from './common-options.ts';
import { openLocalEngine } from './open-local-engine.ts';
import { ofStart } from './open-session.ts';
import { UsageError } from './usage-error.ts';

/** What runs statements: a server, or an engine in this process. */
export async function openBackend(
  options: CommonOptions & { readonly server?: string },
  session: Session,
): Promise<{ backend: Backend; engine: Engine | null }> {
  if (options.server !== undefined) {
    if (!/^https?:\/\/[^/]/i.test(options.server) || !URL.canParse(options.server))
      throw new UsageError(`--server takes a URL such as http://localhost:8088, not ${options.server}`);
    const { RemoteBackend } = await import('../backend/remote-backend.ts');
    return { backend: await RemoteBackend.open(options.server), engine: null };
  }
  const engine = await openLocalEngine(
    options,
    options.dataDir !== undefined || options.kafka !== null,
    await ofStart(session),
  );
  const { LocalBackend } = await import('../backend/local-backend.ts');
  const where =
    options.kafka !== null
      ? `Kafka at ${options.kafka.brokers.join(', ')}`
      : (options.dataDir ?? 'the embedded log, in memory');
  return { backend: new LocalBackend(engine, where), engine };
}
