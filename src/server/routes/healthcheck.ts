import { json, type Route } from '../route.ts';

/** Healthy while the log answers, every statement of before could be replayed, and every query runs. */
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
    const details = {
      metastore: { isHealthy: true },
      kafka: { isHealthy: kafka },
      commandRunner: failed.length === 0 ? { isHealthy: true } : { isHealthy: false, failed },
      queries: inError.length === 0 ? { isHealthy: true } : { isHealthy: false, failed: inError },
    };
    const isHealthy = Object.values(details).every((each) => each.isHealthy);
    return json({ isHealthy, details, serverState: 'READY' });
  },
};
