import { SqlError } from '../../common/error.ts';
import { checkPropertyName } from '../../engine/check-property.ts';
import { RequestError } from '../request-error.ts';
import { json, type Route } from '../route.ts';

/** Whether SET takes the property: a bare JSON true, as clients expect, or a refusal that says why it does not. */
export const isValidPropertyRoute: Route = {
  method: 'GET',
  path: '/is_valid_property/:name',
  handle(_request, _context, [name]) {
    try {
      checkPropertyName(name!, 'statement');
    } catch (error) {
      if (error instanceof SqlError) throw new RequestError(40000, error.message);
      throw error;
    }
    return Promise.resolve(json(true));
  },
};
