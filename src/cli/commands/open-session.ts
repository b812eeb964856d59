import { SqlError } from '../../common/error.ts';
import type { Session } from '../../engine/session.ts';
import { UsageError } from './usage-error.ts';

/** A session with what `--set` says. Throws `UsageError`. */
export async function openSession(settings: readonly string[]): Promise<Session> {
  const [{ newSession }, { checkProperty }] = await Promise.all([
    import('../../engine/session.ts'),
    import('../../engine/check-property.ts'),
  ]);
  const session = newSession();
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw new UsageError(`--set takes name=value, not ${setting}`);
    const given = setting.slice(0, at);
    try {
      const { name, value } = checkProperty(given, setting.slice(at + 1), 'start');
      session.properties.set(name, value);
    } catch (error) {
      const hint = error instanceof SqlError && error.hint !== undefined ? ` (${error.hint})` : '';
      // Without the value: it may be a password that does not belong here.
      throw new UsageError(`--set ${given}: ${(error as Error).message}${hint}`);
    }
  }
  return session;
}

/** The properties of --set that concern the whole process; the others are the session's, which may set or unset them. */
export async function ofStart({ properties }: Session): Promise<ReadonlyMap<string, string>> {
  const { isOfStart } = await import('../../engine/properties.ts');
  return new Map([...properties].filter(([name]) => isOfStart(name)));
}
