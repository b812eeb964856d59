import { checkProperty, PROPERTIES, propertyName, propertyValue } from '../properties.ts';
import { answer, message, type StatementHandler } from './answer.ts';

/** Statements about the session itself. */

export const setProperty: StatementHandler<'setProperty'> = (statement, { session }) => {
  const { name, value } = statement;
  const canonical = checkProperty(name, value, { name: statement.nameSpan, value: statement.valueSpan });
  session.properties.set(canonical, value);
  return message(`${name} is set to ${value}`);
};

export const unsetProperty: StatementHandler<'unsetProperty'> = ({ name }, { session }) => {
  session.properties.delete(propertyName(name));
  return message(`${name} is unset`);
};

export const showProperties: StatementHandler<'showProperties'> = (_statement, { session }) =>
  answer({
    '@type': 'properties',
    properties: PROPERTIES.map(({ name }) => ({
      name,
      scope: session.properties.has(name) ? 'SESSION' : 'DEFAULT',
      value: propertyValue(session.properties, name),
    })),
  });

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
