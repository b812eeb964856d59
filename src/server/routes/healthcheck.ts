import { restoringOf } from '../../engine/listings.ts';
import { json, type Route } from '../route.ts';

/**
 * Healthy while the log answers, every statement of before could be replayed, and no query has failed. One that opens its
 * state, after a start, is listed and well: who ended the server for it would have it begin again.
 */
export const healthcheckRoute: Route = {
  method: 'GET',
  path: '/healthcheck',
  async handle(_request, { engine }) {
    const kafka = await engine.logAnswers();
    const failed = engine.failedStatements.map(({ id, text, errors }) => ({
      id,
      statement: text,
      error: errors.at(-1)?.message ?? '',
    }));
    const inError = [...engine.queries.values()]
      .filter(({ id, state }) => state === 'ERROR' && !failed.some((each) => each.id === id))
      .map(({ id, statementText, errors }) => ({
        id,
        statement: statementText,
        error: errors.at(-1)?.message ?? '',
      }));
    const opening = [...engine.queries.values()]
      .filter(({ state }) => state === 'REBALANCING')
      .map((query) => ({ id: query.id, ...restoringOf(query) }));
    const details = {
      metastore: { isHealthy: true },
      kafka: { isHealthy: kafka },
      commandRunner: failed.length === 0 ? { isHealthy: true } : { isHealthy: false, failed },
      queries: {
        isHealthy: inError.length === 0,
        ...(inError.length === 0 ? {} : { failed: inError }),
        ...(opening.length === 0 ? {} : { opening }),
      },
    };
    const isHealthy = Object.values(details).every((each) => each.isHealthy);
    return json({ isHealthy, details, serverState: 'READY' });
  },
};
