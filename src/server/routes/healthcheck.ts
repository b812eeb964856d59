import { json, type Route } from '../route.ts';

/** Healthy while the log answers. */
export const healthcheckRoute: Route = {
  method: 'GET',
  path: '/healthcheck',
  async handle(_request, { engine }) {
    const kafka = await engine.logAnswers();
    const isHealthy = kafka;
    const details = {
      metastore: { isHealthy: true },
      kafka: { isHealthy: kafka },
      commandRunner: { isHealthy: true },
    };
    return json({ isHealthy, details, serverState: 'READY' });
  },
};
