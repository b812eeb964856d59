import { DataError, SqlError } from '../../common/error.ts';
import { resolveType } from '../../sql/analyzer/resolve-type.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { parseStatements } from '../../sql/parser/parse.ts';
import { struct, type SqlType } from '../../types/sql-type.ts';
import type { Engine, StatementCall } from '../engine.ts';
import { propertyValue } from '../properties.ts';
import type { FunctionCode } from '../user-functions/isolated-functions.ts';
import { openFunction } from '../user-functions/open-function.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { goesOn, isRerun } from './earlier-query.ts';
import { giveUpDropped } from './give-up.ts';

/** CREATE FUNCTION: code in the statement, which becomes part of the language until DROP FUNCTION. */
export const createFunction: EntityStatement<'createFunction'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine } = call;
    const { name, nameSpan } = statement;
    if (propertyValue(engine.systemProperties, 'ksql.udfs.enabled') === 'false')
      throw new SqlError('ML_UNSUPPORTED', 'CREATE FUNCTION is switched off here', {
        span: statement.span,
        hint: 'whoever starts the process can allow it: --set ksql.udfs.enabled=true',
      });
    const types = typesOf(statement, call);
    const code = await codeOf(statement);
    const meaning = meaningOf(statement, code, types);
    const goes = isRerun(call, `function:${name}`) && engine.createdFunctions.meaningOf(name) === meaning;
    if (engine.functions.has(name)) {
      if (!engine.createdFunctions.has(name))
        throw new SqlError('ML_NAME_TAKEN', `function ${name} comes with the engine and cannot be replaced`, {
          span: nameSpan,
          hint: 'choose another name',
        });
      if (statement.ifNotExists)
        return changed(
          `function/${name}/create`,
          `function ${name} exists already: nothing was created`,
          engine.sequence,
        );
      if (!statement.orReplace && !goes)
        throw new SqlError('ML_NAME_TAKEN', `function ${name} exists already`, {
          span: nameSpan,
          hint: `write CREATE OR REPLACE FUNCTION, or DROP FUNCTION ${name} first`,
        });
    }
    call.script?.made.add(`function:${name}`);
    if (goes) return goesOn(engine, `function/${name}/create`, null, `function ${name}`);
    const { sandbox, members, forget } = opened(statement, code, call);
    const fn = openFunction(
      sandbox,
      {
        name,
        kind: code.form,
        description: `made by CREATE FUNCTION in ${statement.language === 'TYPESCRIPT' ? 'TypeScript' : 'JavaScript'}`,
        signatures: [
          {
            parameters: types.parameters,
            names: code.parameters,
            returns: types.returns,
            strict: statement.strict,
            ...(types.state === null ? {} : { state: types.state }),
            has: members,
          },
        ],
      },
      name,
      0,
    );
    const { sequence } = engine;
    await engine.record(call, sequence);
    engine.functions.set(name, fn);
    engine.createdFunctions.keep(name, forget, meaning);
    return changed(`function/${name}/create`, `Created function ${name}`, sequence);
  },
};

/** Everything that decides about what a function gives. */
function meaningOf(
  { strict }: StatementOf<'createFunction'>,
  { form, parameters, body }: FunctionCode,
  types: ReturnType<typeof typesOf>,
): string {
  return JSON.stringify([strict, form, parameters, body, types]);
}

/** DROP FUNCTION: refused while a query calls it. */
export const dropFunction: EntityStatement<'dropFunction'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine } = call;
    const { name, nameSpan, ifExists } = statement;
    if (!engine.createdFunctions.has(name)) {
      const givenUp = await giveUpDropped(statement, call);
      if (givenUp !== null) return givenUp;
      if (engine.functions.has(name))
        throw new SqlError('ML_IN_USE', `function ${name} comes with the engine and cannot be dropped`, {
          span: nameSpan,
        });
      if (ifExists)
        return changed(
          `function/${name}/drop`,
          `there is no function ${name}: nothing was dropped`,
          engine.sequence,
        );
      throw new SqlError('ML_NAME_UNKNOWN', `there is no function ${name}`, {
        span: nameSpan,
        hint: 'SHOW FUNCTIONS lists them',
      });
    }
    const users = queriesCalling(engine, name);
    if (users.length > 0)
      throw new SqlError('ML_IN_USE', `function ${name} is called by ${users.join(', ')}`, {
        span: nameSpan,
        hint: 'terminate those queries first',
      });
    const { sequence } = engine;
    await engine.record(call, sequence);
    engine.functions.delete(name);
    engine.createdFunctions.remove(name);
    return changed(`function/${name}/drop`, `Dropped function ${name}`, sequence);
  },
};

/** Ids of the persistent and push queries whose statement calls the function. */
function queriesCalling(engine: Engine, name: string): readonly string[] {
  const queries = [
    ...[...engine.queries.values()].map(({ id, statementText }) => ({ id, statementText })),
    ...[...engine.pushQueries.values()].map(({ queryId: id, statementText }) => ({ id, statementText })),
  ];
  return queries
    .filter(({ statementText }) =>
      parseStatements(statementText).some((parsed) => calls(parsed.statement, name)),
    )
    .map(({ id }) => id);
}

function calls(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const { kind, name: called } = node as { kind?: unknown; name?: unknown };
  return (kind === 'call' && called === name) || Object.values(node).some((inner) => calls(inner, name));
}

function typesOf(
  { parameters, returns, state, aggregate, strict, span }: StatementOf<'createFunction'>,
  { engine: { catalog } }: StatementCall,
): { parameters: readonly SqlType[]; returns: SqlType; state: SqlType | null } {
  const refuse = (what: string, hint: string): never => {
    throw new SqlError('ML_UNSUPPORTED', what, { span, hint });
  };
  if (aggregate && returns.kind === 'rows')
    refuse('an aggregate returns one value', 'write RETURNS and a type; a function of rows has no AGGREGATE');
  if (!aggregate && state !== null) refuse('only an aggregate has STATE', 'write CREATE AGGREGATE FUNCTION');
  if (strict && (aggregate || returns.kind === 'rows'))
    refuse('STRICT is for functions that return one value for each row', 'leave it out');
  const result =
    returns.kind === 'value'
      ? resolveType(returns.type, catalog)
      : returns.columns.length === 1
        ? resolveType(returns.columns[0]!.type, catalog)
        : struct(
            returns.columns.map((column) => ({ name: column.name, type: resolveType(column.type, catalog) })),
          );
  return {
    parameters: parameters.map(({ type }) => resolveType(type, catalog)),
    returns: result,
    state: !aggregate ? null : state === null ? result : resolveType(state, catalog),
  };
}

/** Throws `SqlError` for a language that does not exist, and names that the code could not use. */
async function codeOf({
  name,
  aggregate,
  returns,
  parameters,
  language,
  languageSpan,
  body,
  bodySpan,
}: StatementOf<'createFunction'>): Promise<FunctionCode> {
  if (language !== 'JAVASCRIPT' && language !== 'JS' && language !== 'TYPESCRIPT')
    throw new SqlError('ML_UNSUPPORTED', `there is no language ${language}`, {
      span: languageSpan,
      hint: 'write LANGUAGE JAVASCRIPT or LANGUAGE TYPESCRIPT',
    });
  for (const parameter of parameters)
    if (!/^[A-Za-z_$][\w$]*$/.test(parameter.name))
      throw new SqlError('ML_SYNTAX', `parameter ${parameter.name} is no name of JavaScript`, {
        span: parameter.span,
        hint: 'use letters, digits and underscores',
      });
  let code = body;
  if (language === 'TYPESCRIPT') {
    // Loaded only here: it is large, and most engines never need it.
    const { stripTypes } = await import('../user-functions/strip-types.ts');
    try {
      code = stripTypes(body);
    } catch (error) {
      throw notCode(name, 'TypeScript', (error as Error).message, bodySpan);
    }
  }
  // Declared or exported, as other systems write it: an export means nothing in a text of its own.
  if (aggregate) code = code.replaceAll(/^(\s*)export\s+(?=(?:function|const|let|class)\b)/gm, '$1');
  return {
    name,
    form: aggregate ? 'aggregate' : returns.kind === 'rows' ? 'table' : 'scalar',
    parameters: parameters.map((parameter) => parameter.name),
    body: code,
  };
}

function opened(
  { name, bodySpan }: StatementOf<'createFunction'>,
  code: FunctionCode,
  { engine }: StatementCall,
): ReturnType<Engine['createdFunctions']['open']> {
  let found;
  try {
    found = engine.createdFunctions.open(code);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw notCode(name, 'JavaScript', error.message.replace(`${name}: `, ''), bodySpan);
  }
  const missing =
    code.form === 'aggregate' ? ['initial', 'add'].filter((each) => !found.members.includes(each)) : [];
  if (missing.length === 0) return found;
  found.forget();
  throw new SqlError('ML_DATA', `aggregate ${name} has no function ${missing.join(' and no function ')}`, {
    span: bodySpan,
    hint: 'it needs initial() and add(state, …); undo(state, …), merge(left, right) and result(state) are optional',
  });
}

function notCode(
  name: string,
  language: string,
  reason: string,
  span: { start: number; end: number },
): SqlError {
  return new SqlError('ML_SYNTAX', `the body of ${name} is not ${language} that can be used: ${reason}`, {
    span,
    hint: 'the text between the dollars is the body of a function: it returns its result',
  });
}
