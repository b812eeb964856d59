import { json, type Route } from '../route.ts';

export const infoRoute: Route = {
  method: 'GET',
  path: '/info',
  handle: (_request, { engine, version }) =>
    Promise.resolve(
      json({
        KsqlServerInfo: {
          version,
          kafkaClusterId: engine.clusterId,
          ksqlServiceId: engine.serviceId,
          serverStatus: 'RUNNING',
        },
      }),
    ),
};

export const rootRoute: Route = {
  method: 'GET',
  path: '/',
  handle: () => Promise.resolve({ status: 307, headers: { location: '/info' }, body: '' }),
};
