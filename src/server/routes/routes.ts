import type { Route } from '../route.ts';
import { closeQueryRoute } from './close-query.ts';
import { healthcheckRoute } from './healthcheck.ts';
import { infoRoute, rootRoute } from './info.ts';
import { isValidPropertyRoute } from './is-valid-property.ts';
import { ksqlRoute } from './ksql.ts';
import { queryRoute } from './query.ts';
import { queryStreamRoute } from './query-stream.ts';

/** Every endpoint. The first whose method and path match answers; order matters only where patterns overlap. */
export const routes: readonly Route[] = [
  ksqlRoute,
  queryStreamRoute,
  queryRoute,
  closeQueryRoute,
  infoRoute,
  rootRoute,
  healthcheckRoute,
  isValidPropertyRoute,
];
