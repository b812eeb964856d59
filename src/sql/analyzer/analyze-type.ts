import { SqlError } from '../../common/error.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { CreateType } from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { resolveType } from './resolve-type.ts';

/** CREATE TYPE: the type, with user types in it replaced by what they stand for. */
export function analyzeCreateType(statement: CreateType, context: AnalyzeContext): SqlType {
  if (context.catalog.type(statement.name) !== undefined)
    throw new SqlError('ML_NAME_TAKEN', `a type named ${printIdentifier(statement.name)} exists already`, {
      span: statement.nameSpan,
      hint: 'choose another name or DROP TYPE first',
    });
  return resolveType(statement.type, context.catalog);
}
