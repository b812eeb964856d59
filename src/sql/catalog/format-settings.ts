import type { FormatSettings } from '../../formats/format.ts';
import type { SideFormat } from './source.ts';

export function settingsOf(format: SideFormat, isKey: boolean): FormatSettings {
  return { isKey, wrapped: format.wrapped, properties: new Map(format.properties) };
}
