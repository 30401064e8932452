// The error log: everything that is observed and is not the end of a request, as pino records. Which observation has
// which level and text is log-records.ts; the ends of requests are the access log's.
import type { Level } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogFormat } from './access-log.ts';
import { recordLogger } from './log-destination.ts';
import type { LogDestination } from './log-destination.ts';
import { logRecord } from './log-records.ts';
import type { Observer } from './observation.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ErrorLogOptions {
  readonly format: LogFormat;
  readonly destination: LogDestination;
  /** The least level that is written; `info` by default. */
  readonly level?: LogLevel;
  /** Whether pretty lines may carry ANSI colours; false by default. */
  readonly colour?: boolean;
}

export function errorLog(options: ErrorLogOptions): Observer {
  const destination =
    options.format === 'json'
      ? options.destination
      : prettified(options.destination, options.colour ?? false);
  const logger = recordLogger(destination, options.level ?? 'info');
  return {
    observe(observation) {
      const record = logRecord(observation);
      if (record !== null) logger[record.level satisfies Level](record.fields, record.message);
    },
  };
}

/** The destination with pino-pretty in front of it, in this thread and in order: no transport worker to wait for. */
function prettified(destination: LogDestination, colour: boolean): { write(line: string): void } {
  const pretty = prettyFactory({ colorize: colour, translateTime: 'SYS:HH:MM:ss', singleLine: false });
  return {
    write(line) {
      destination.write(pretty(withoutControls(line)));
    },
  };
}

// Control characters as JSON spells them, and those that JSON leaves as they are; line ends and tabs may stay. The
// backslash pair is there so that its second half is not taken for the start of an escape.
const CONTROLS = /\\(?:\\|[bfr]|u00[01][0-9a-f])|[\u007f-\u009f]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\\b': '08', '\\f': '0c', '\\r': '0d' };

/**
 * A line of JSON in which control characters stand as visible text: an error message can quote what a client sent, and
 * that must not reach the terminal of whoever reads the log as a command.
 */
function withoutControls(json: string): string {
  return json.replace(CONTROLS, (found) => {
    if (found === '\\\\') return found;
    const code = found.length === 1 ? found.charCodeAt(0).toString(16) : found.slice(-2);
    return `\\\\x${SHORT_ESCAPES[found] ?? code}`;
  });
}
