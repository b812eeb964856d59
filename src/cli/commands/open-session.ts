import type { Session } from '../../engine/session.ts';
import { UsageError } from './usage-error.ts';

/** A session with what `--set` says. Throws `UsageError`. */
export async function openSession(settings: readonly string[]): Promise<Session> {
  const [{ newSession }, { checkProperty }] = await Promise.all([
    import('../../engine/session.ts'),
    import('../../engine/properties.ts'),
  ]);
  const session = newSession();
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw new UsageError(`--set takes name=value, not ${setting}`);
    try {
      const { name, value } = checkProperty(setting.slice(0, at), setting.slice(at + 1), 'start');
      session.properties.set(name, value);
    } catch (error) {
      throw new UsageError(`--set ${setting}: ${(error as Error).message}`);
    }
  }
  return session;
}

/** The properties of --set that concern the whole process; the others are the session's, which may set or unset them. */
export async function ofStart({ properties }: Session): Promise<ReadonlyMap<string, string>> {
  const { isOfStart } = await import('../../engine/properties.ts');
  return new Map([...properties].filter(([name]) => isOfStart(name)));
}
