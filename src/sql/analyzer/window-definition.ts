import { SqlError } from '../../common/error.ts';
import type * as ast from '../parser/ast.ts';
import type { WindowDefinition } from './analyzed-query.ts';

const DAY_MS = 86_400_000;

/**
 * Window sizes with ksqlDB's defaults: what is late up to a day after a window's start still counts, but where only final
 * results are told, which would come a day late: then the grace period is none.
 */
export function windowDefinition(window: ast.WindowExpression, emit: ast.Query['emit']): WindowDefinition {
  const sizeMs = window.kind === 'session' ? window.gapMs : window.sizeMs;
  const advanceMs = window.kind === 'hopping' ? window.advanceMs : sizeMs;
  const bad = (message: string, hint?: string): SqlError =>
    new SqlError('ML_SCHEMA', message, { span: window.span, hint });
  if (sizeMs <= 0) throw bad('a window must be longer than zero');
  if (advanceMs <= 0 || advanceMs > sizeMs) throw bad('ADVANCE BY must be above zero and not above SIZE');
  const defaultGraceMs = emit === 'final' ? 0 : Math.max(DAY_MS - sizeMs, 0);
  const graceMs = window.graceMs ?? defaultGraceMs;
  const retentionMs = window.retentionMs ?? sizeMs + graceMs;
  if (retentionMs < sizeMs + graceMs)
    throw bad(
      `RETENTION of ${retentionMs} ms is shorter than the window and its grace period together`,
      window.graceMs === null
        ? `give a GRACE PERIOD: its default here is ${graceMs} ms`
        : `it must be at least ${sizeMs + graceMs} ms`,
    );
  return { kind: window.kind, sizeMs, advanceMs, graceMs, retentionMs };
}
