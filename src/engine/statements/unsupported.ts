import { SqlError, type Span } from '../../common/error.ts';
import type { Statement } from '../../sql/parser/ast.ts';

/** A handler for statements that parse and that this engine does not run. */
export function unsupported(message: string, hint: string): (statement: Statement & { span: Span }) => never {
  return ({ span }) => {
    throw new SqlError('ML_UNSUPPORTED', message, { span, hint });
  };
}
