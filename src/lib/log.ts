import { pino } from 'pino';

/** Fields every room uses with the same names. */
export interface LogFields {
  environment?: string;
  environmentId?: string;
  operation?: string;
  principal?: string;
  requestId?: string;
  [field: string]: unknown;
}

/** A constant message with fields. Never a token, a secret or a signature. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Writes one JSON line an event to the file, appended. */
export const fileLog = (file: string, level = 'info'): Log => {
  const out = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: file, sync: true, mkdir: true, mode: 0o600 }),
  );
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) =>
      out[name](fields, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** Says nothing; for unit tests. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
