import { SqlError } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import { checkProperty } from './check-property.ts';
import { isOfStart } from './properties.ts';

/** Properties as a statement was recorded with, without values that were allowed then and are not now. */
export function keptProperties(
  recorded: Readonly<Record<string, string>>,
  logger: Logger,
): Map<string, string> {
  const kept = new Map<string, string>();
  for (const [name, text] of Object.entries(recorded))
    try {
      kept.set(name, checkProperty(name, text, 'request').value);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      // A property that only --set may give is not a statement's, and not checked as one.
      if (isOfStart(name)) kept.set(name, text);
      else
        logger.warn({ property: name, error: error.message }, 'a recorded property is left at its default');
    }
  return kept;
}
