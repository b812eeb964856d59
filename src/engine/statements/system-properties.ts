import { keptProperties } from '../kept-properties.ts';
import { checkProperty, checkPropertyName } from '../check-property.ts';
import { PROPERTIES, propertyName, propertyValue } from '../properties.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';

/** ALTER SYSTEM: for every session that does not set it itself, and the queries that are created from now on. */
export const alterSystem: EntityStatement<'alterSystem'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { name, value, nameSpan, valueSpan } = statement;
    const { engine } = call;
    const { sequence } = engine;
    const canonical = propertyName(name);
    if (call.replayed === null) {
      const setting = checkProperty(name, value, 'statement', { name: nameSpan, value: valueSpan });
      await engine.record(call, sequence);
      engine.systemProperties.set(setting.name, setting.value);
    } else {
      checkPropertyName(name, 'request', nameSpan);
      for (const [kept, text] of keptProperties({ [canonical]: value }, engine.options.logger))
        engine.systemProperties.set(kept, text);
    }
    const text = `${name} is set to ${value} for queries that are created from now on`;
    return changed(`system/${canonical}/alter`, text, sequence);
  },
};

/** Known properties, and others that were set, so that the list shows every value that has an effect. */
export const showProperties: EntityStatement<'showProperties'> = {
  effect: 'reads',
  run(_statement, { engine, session, properties }) {
    const { systemProperties } = engine;
    const known = new Set(PROPERTIES.map(({ name }) => name));
    const others = [...properties.keys()].filter((name) => !known.has(name)).sort();
    const listings = [...known, ...others].map((name) => ({
      name,
      scope: session.properties.has(name) ? 'SESSION' : systemProperties.has(name) ? 'SYSTEM' : 'DEFAULT',
      value: propertyValue(properties, name),
    }));
    return {
      '@type': 'properties',
      properties: listings,
      overwrittenProperties: listings.filter(({ scope }) => scope !== 'DEFAULT').map(({ name }) => name),
      defaultProperties: listings.filter(({ scope }) => scope === 'DEFAULT').map(({ name }) => name),
    };
  },
};
