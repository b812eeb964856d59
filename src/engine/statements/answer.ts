import type { Entity } from '../result.ts';

/** A sentence, where there is nothing to show. */
export function message(text: string): Entity {
  return { '@type': 'message', message: text };
}

/** ksqlDB's answer to statements that change the catalog. */
export function changed(
  commandId: string,
  text: string,
  sequence: number,
  queryId: string | null = null,
): Entity {
  return {
    '@type': 'currentStatus',
    commandId,
    commandStatus: { status: 'SUCCESS', message: text, queryId },
    commandSequenceNumber: sequence,
  };
}
