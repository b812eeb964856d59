import { keptProperties } from '../kept-properties.ts';
import { checkProperty, checkPropertyName, PROPERTIES, propertyName, propertyValue } from '../properties.ts';
import { answer, changed, message, type StatementHandler } from './answer.ts';

/** Statements about the session itself. */

export const setProperty: StatementHandler<'setProperty'> = (statement, { session }) => {
  const { name, value, nameSpan, valueSpan } = statement;
  const setting = checkProperty(name, value, 'statement', { name: nameSpan, value: valueSpan });
  session.properties.set(setting.name, setting.value);
  return message(`${name} is set to ${value}`);
};

/** ALTER SYSTEM: for every session that does not set it itself, and the queries that are created from now on. */
export const alterSystem: StatementHandler<'alterSystem'> = async (statement, call) => {
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
};

export const unsetProperty: StatementHandler<'unsetProperty'> = ({ name }, { session }) => {
  session.properties.delete(propertyName(name));
  return message(`${name} is unset`);
};

/** Those that are known, and whatever else was set: nobody is surprised by a value that no list shows. */
export const showProperties: StatementHandler<'showProperties'> = (
  _statement,
  { engine, session, properties },
) => {
  const { systemProperties } = engine;
  const known = new Set(PROPERTIES.map(({ name }) => name));
  const others = [...properties.keys()].filter((name) => !known.has(name)).sort();
  const listings = [...known, ...others].map((name) => ({
    name,
    scope: session.properties.has(name) ? 'SESSION' : systemProperties.has(name) ? 'SYSTEM' : 'DEFAULT',
    value: propertyValue(properties, name),
  }));
  return answer({
    '@type': 'properties',
    properties: listings,
    overwrittenProperties: listings.filter(({ scope }) => scope !== 'DEFAULT').map(({ name }) => name),
    defaultProperties: listings.filter(({ scope }) => scope === 'DEFAULT').map(({ name }) => name),
  });
};

export const defineVariable: StatementHandler<'defineVariable'> = ({ name, value }, { session }) => {
  session.variables.set(name, value);
  return message('');
};

export const undefineVariable: StatementHandler<'undefineVariable'> = ({ name }, { session }) => {
  session.variables.delete(name);
  return message('');
};

export const showVariables: StatementHandler<'showVariables'> = (_statement, { session }) =>
  answer({
    '@type': 'variables',
    variables: [...session.variables].map(([name, value]) => ({ name, value })),
  });
