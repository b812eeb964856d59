import { describeFunction as describeOne, listFunctions, renderFunction } from '../../functions/describe.ts';
import { SqlError } from '../../common/error.ts';
import { suggestFunction } from '../../sql/analyzer/suggest.ts';
import type { EntityStatement } from './definition.ts';

export const showFunctions: EntityStatement<'showFunctions'> = {
  effect: 'reads',
  run: (_statement, { engine }) => ({
    '@type': 'function_names',
    functions: listFunctions(engine.functions).map(({ name, kind, category }) => ({
      name,
      type: kind.toUpperCase(),
      category,
    })),
  }),
};

export const describeFunction: EntityStatement<'describeFunction'> = {
  effect: 'reads',
  run({ name, nameSpan }, { engine }) {
    const fn = engine.functions.get(name.toUpperCase());
    if (fn === undefined)
      throw new SqlError('ML_NAME_UNKNOWN', `there is no function ${name}`, {
        span: nameSpan,
        hint: suggestFunction(name, engine.functions.keys()),
      });
    const { kind, signatures, ...described } = describeOne(fn);
    return {
      '@type': 'describe_function',
      ...described,
      author: '',
      version: engine.options.version,
      path: 'internal',
      type: kind.toUpperCase(),
      functions: signatures.map(({ parameters, returns }) => ({
        arguments: parameters.map(({ variadic: isVariadic, name: argument, type, description }) => ({
          name: argument,
          type,
          description,
          isVariadic,
        })),
        returnType: returns,
        description: '',
      })),
      text: renderFunction(fn),
    };
  },
};
