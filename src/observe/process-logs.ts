// The logs of one process: accesses on standard output, everything else on standard error. Several processes may share both.
import { accessLog, type LogFormat } from './access-log.ts';
import { errorLog, type LogLevel } from './error-log.ts';
import { bufferedDestination, directDestination, type LogDestination } from './log-destination.ts';
import { fanOut, type Observer } from './observation.ts';

const STDOUT = 1;
const STDERR = 2;

export interface LogSettings {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** A line for each request. */
  readonly access: boolean;
  readonly accessColour: boolean;
  readonly errorColour: boolean;
}

export interface ProcessLogs {
  readonly observer: Observer;
  /** The error log alone. */
  readonly errors: Observer;
  /** Where access lines go. */
  readonly output: LogDestination;
}

export function processLogs(settings: LogSettings): ProcessLogs {
  const { format } = settings;
  const output = bufferedDestination(STDOUT);
  const errors = errorLog({
    format,
    destination: directDestination(STDERR),
    level: settings.level,
    colour: settings.errorColour,
  });
  const access = accessLog({ format, destination: output, colour: settings.accessColour });
  return { observer: settings.access ? fanOut([access, errors]) : errors, errors, output };
}
