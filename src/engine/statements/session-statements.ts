import { checkProperty, idleBecause } from '../check-property.ts';
import { propertyName } from '../properties.ts';
import { message } from './answer.ts';
import type { SessionStatement } from './definition.ts';

/** Statements about the session itself. */

export const setProperty: SessionStatement<'setProperty'> = {
  effect: 'session',
  run(statement, session) {
    const { name, value, nameSpan, valueSpan } = statement;
    const setting = checkProperty(name, value, 'statement', { name: nameSpan, value: valueSpan });
    session.properties.set(setting.name, setting.value);
    const idle = idleBecause(name);
    return message(
      `${name} is set to ${value}${idle === null ? '' : `, which changes nothing here: ${idle}`}`,
    );
  },
};

export const unsetProperty: SessionStatement<'unsetProperty'> = {
  effect: 'session',
  run({ name }, session) {
    session.properties.delete(propertyName(name));
    return message(`${name} is unset`);
  },
};

export const defineVariable: SessionStatement<'defineVariable'> = {
  effect: 'session',
  run({ name, value }, session) {
    session.variables.set(name, value);
    return message('');
  },
};

export const undefineVariable: SessionStatement<'undefineVariable'> = {
  effect: 'session',
  run({ name }, session) {
    session.variables.delete(name);
    return message('');
  },
};

export const showVariables: SessionStatement<'showVariables'> = {
  effect: 'session',
  run: (_statement, session) => ({
    '@type': 'variables',
    variables: [...session.variables].map(([name, value]) => ({ name, value })),
  }),
};
