import { pino } from 'pino';
import type { LogEvent, logEvents } from './log-events.ts';
import { fileSink, type LineSink } from './log-sinks.ts';

/** The fields that an event may have. Never a token, a secret or a signature. */
export type FieldsOf<E extends LogEvent> = {
  readonly [field in (typeof logEvents)[E]['fields'][number]]?: unknown;
};

type Write = <E extends LogEvent>(event: E, fields?: FieldsOf<E>) => void;

/** An event of the one vocabulary, with its fields. Never throws, also when nothing can be written. */
export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/** Writes one JSON line an event to every sink: `level` as a word, `time` in ISO 8601, the fields, `message`. */
export const createLog = (sinks: readonly LineSink[], level = 'info'): Log => {
  const write = (line: string): void => {
    for (const sink of sinks) sink.write(line);
  };
  const out = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (event: LogEvent, fields: object = {}) =>
      out[name](fields, event);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** Appends one JSON line an event to the file, and gives the same lines to `also`. */
export const fileLog = (file: string, also?: LineSink): Log =>
  createLog([fileSink(file), ...(also ? [also] : [])]);

/** Says nothing; for unit tests. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
