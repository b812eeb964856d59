import { SqlError } from '../../common/error.ts';
import { checkProperty, propertyName, propertyValue } from '../../engine/properties.ts';
import { RequestError } from '../request-error.ts';
import { json, type Route } from '../route.ts';

/** A bare JSON boolean, as clients expect. */
export const isValidPropertyRoute: Route = {
  method: 'GET',
  path: '/is_valid_property/:name',
  handle(_request, _context, [name]) {
    try {
      checkProperty(name!, propertyValue(new Map(), propertyName(name!)) ?? '');
    } catch (error) {
      if (error instanceof SqlError && error.message.startsWith('there is no property'))
        throw new RequestError(40000, error.message);
    }
    return Promise.resolve(json(true));
  },
};
