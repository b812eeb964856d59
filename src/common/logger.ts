import { pino } from 'pino';

/** All rooms log through this. Fields first, as pino has it; messages are for people. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** Logs nothing: for tests and tools. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} };

/** A logger of JSON lines on standard error. `level` is pino's: error, warn, info, debug or silent. */
export function openLogger(level: string): Logger {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
}
