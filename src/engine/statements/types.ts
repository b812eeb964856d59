import { SqlError } from '../../common/error.ts';
import { resolveType } from '../../sql/analyzer/resolve-type.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { goesOn, isRerun } from './earlier-query.ts';
import { giveUpDropped } from './give-up.ts';

export const createType: EntityStatement<'createType'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine } = call;
    const { name, nameSpan, ifNotExists } = statement;
    if (engine.catalog.type(name) !== undefined) {
      if (ifNotExists)
        return changed(
          `type/${name}/create`,
          `type ${name} exists already: nothing was created`,
          engine.sequence,
        );
      const isAsItWas = (): boolean =>
        equalTypes(engine.catalog.type(name)!, resolveType(statement.type, engine.catalog));
      if (isRerun(call, `type:${name}`) && isAsItWas()) {
        call.script?.made.add(`type:${name}`);
        return goesOn(engine, `type/${name}/create`, null, `type ${name}`);
      }
      throw new SqlError('ML_NAME_TAKEN', `type ${name} exists already`, {
        span: nameSpan,
        hint: `DROP TYPE ${name}; removes it`,
      });
    }
    const type = resolveType(statement.type, engine.catalog);
    const { sequence } = engine;
    await engine.record(call, sequence);
    engine.catalog.addType(name, type);
    call.script?.made.add(`type:${name}`);
    return changed(`type/${name}/create`, `Registered type ${name}`, sequence);
  },
};

export const dropType: EntityStatement<'dropType'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine } = call;
    const { name, nameSpan, ifExists } = statement;
    if (engine.catalog.type(name) === undefined) {
      const givenUp = await giveUpDropped(statement, call);
      if (givenUp !== null) return givenUp;
      if (ifExists)
        return changed(`type/${name}/drop`, `there is no type ${name}: nothing was dropped`, engine.sequence);
      throw new SqlError('ML_NAME_UNKNOWN', `there is no type ${name}`, {
        span: nameSpan,
        hint: 'SHOW TYPES lists them',
      });
    }
    const { sequence } = engine;
    await engine.record(call, sequence);
    engine.catalog.removeType(name);
    return changed(`type/${name}/drop`, `Dropped type ${name}`, sequence);
  },
};
