import { SqlError, type Span } from '../common/error.ts';
import { environmentVariable } from '../common/properties-file.ts';
import {
  isOfConnection,
  refusalOf,
  type SettingRow,
  withoutClient,
} from '../log/kafka/settings/setting-table.ts';
import { suggest } from '../sql/analyzer/suggest.ts';
import { PROPERTIES, type Property, propertyName } from './properties.ts';
import { isHonouredOfClients, isOfServer, serverFileSettings } from './service-settings.ts';

/** A property as it is kept: under its canonical name, in its canonical spelling. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** Where a property comes from. Requests may hold unknown names: clients send properties of their own. */
export type Giver = 'statement' | 'request' | 'start';

/** Longer values are cut in messages. */
const SHOWN_MAX = 60;

/** Checks name and value. Throws `SqlError` ML_PROPERTY, which says what values there are. */
export function checkProperty(
  name: string,
  text: string,
  giver: Giver,
  spans: { name?: Span; value?: Span } = {},
): Setting {
  const property = checkPropertyName(name, giver, spans.name);
  if (property === null) {
    checkForeignValue(name, text, spans.value);
    return { name: propertyName(name), value: text };
  }
  const value = property.value.read(text);
  if (value === null) {
    const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
    throw new SqlError(
      'ML_PROPERTY',
      `property '${name}' must be ${property.value.description}, not '${shown}'`,
      { span: spans.value },
    );
  }
  return { name: property.name, value };
}

/**
 * The property of that name, if `giver` may set it; null for one that is accepted and means nothing. Throws `SqlError`
 * ML_PROPERTY.
 */
export function checkPropertyName(name: string, giver: Giver, span?: Span): Property | null {
  const canonical = propertyName(name);
  const property = PROPERTIES.find((each) => each.name === canonical);
  if (property?.atStartOnly === true && giver !== 'start')
    throw new SqlError('ML_PROPERTY', `property '${name}' is set when the process starts`, {
      span,
      hint: `start it with --set ${canonical}=…`,
    });
  if (property !== undefined) return property;
  const row = foreignRow(canonical);
  const elsewhere = row === undefined ? null : placeOf(canonical, row, giver);
  if (elsewhere !== null)
    throw new SqlError('ML_PROPERTY', `property '${name}' belongs to the server and cannot be set`, {
      span,
      hint: elsewhere,
    });
  if (row !== undefined || giver === 'request') return null;
  throw new SqlError('ML_PROPERTY', `there is no property '${name}'`, {
    span,
    hint: suggest(
      canonical,
      PROPERTIES.map((each) => each.name),
      'SHOW PROPERTIES lists them',
    ),
  });
}

/** What is known of a property that is none here; undefined: nothing. */
function foreignRow(canonical: string): SettingRow | undefined {
  return serverFileSettings.row(canonical) ?? serverFileSettings.row(withoutClient(canonical));
}

/** What the value of a property that is none here asks for must be so anyway. Throws `SqlError` ML_PROPERTY. */
function checkForeignValue(name: string, text: string, span: Span | undefined): void {
  const row = foreignRow(propertyName(name));
  const refusal = row === undefined ? null : refusalOf(row, text);
  if (refusal !== null) throw new SqlError('ML_PROPERTY', `property '${name}' ${refusal}`, { span });
}

/** Settings of the whole process, whoever gives them. */
const OF_PROCESS =
  /^(?:application\.(?:id|server)|group\.id|transactional\.id|state\.dir|config\.providers.*)$/;

/** Where a setting is given that is not a session's, as a hint; null for one that a session may hold. */
function placeOf(canonical: string, { fate, because }: SettingRow, giver: Giver): string | null {
  const name = withoutClient(canonical);
  const ofStart = giver === 'start' && isHonouredOfClients(name);
  if (isOfConnection(name) || ofStart)
    return `it stands in the file of --kafka-config, or in ${environmentVariable('MILLRACE_KAFKA_', name)} (docs/kafka.md)`;
  if (!isOfServer(canonical) && !OF_PROCESS.test(name)) return null;
  return fate === 'mapped' ? `say it with ${because}` : because;
}

/** Why a property that is accepted changes nothing here; null for others. */
export function idleBecause(name: string): string | null {
  const row = foreignRow(propertyName(name));
  return row?.fate === 'idle' ? row.because : null;
}
