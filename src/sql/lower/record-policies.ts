import { continueOnDataError } from '../../streams/task/error-handlers.ts';
import type { StreamsOptions } from '../../streams/instance/streams-options.ts';
import { skipOnInvalidTimestamp } from '../../streams/task/timestamp-extractors.ts';

/** A query never stops for one record: what cannot be read, evaluated or written is dropped, counted and logged. */
export const recordPolicies: Pick<StreamsOptions, 'handlers' | 'timestampExtractor'> = {
  handlers: {
    deserialization: continueOnDataError,
    processing: continueOnDataError,
    production: continueOnDataError,
  },
  timestampExtractor: skipOnInvalidTimestamp,
};
