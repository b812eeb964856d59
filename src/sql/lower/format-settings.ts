import type { FormatSettings } from '../../formats/format.ts';
import type { SideFormat } from '../plan/node.ts';

export function settingsOf(format: SideFormat, isKey: boolean): FormatSettings {
  return { isKey, wrapped: format.wrapped, properties: new Map(format.properties) };
}

/** Whether two sides write the same columns as the same bytes. */
export function equalFormats(a: SideFormat, b: SideFormat): boolean {
  return (
    a.name === b.name &&
    a.wrapped === b.wrapped &&
    JSON.stringify(a.properties) === JSON.stringify(b.properties)
  );
}
