// Where log lines go: a buffered file descriptor that is flushed by size, by time and at exit; and the form
// that JSON records have there.
import { pino } from 'pino';
import type { Logger, LoggerOptions } from 'pino';

/** What a log needs of its destination; pino's own streams fit. */
export interface LogDestination {
  write(line: string): void;
  /** Writes out what is buffered before it returns. */
  flushSync(): void;
}

/** Bytes that are gathered before a write: one system call for some thirty access lines instead of one for each. */
const MIN_WRITE_BYTES = 3072;

/** Whole lines up to this are one write, which is not torn where several processes share a pipe (POSIX: PIPE_BUF). */
const MAX_WRITE_BYTES = 4096;

/** Longest time that a line stays in the buffer, so that somebody who watches a quiet server sees it at once. */
const FLUSH_INTERVAL_MS = 100;

/** Lines may be lost when the process is killed, not when it exits: pino flushes this at exit by itself. */
export function bufferedDestination(fd: number): LogDestination {
  return pino.destination({
    fd,
    sync: false,
    minLength: MIN_WRITE_BYTES,
    maxWrite: MAX_WRITE_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
}

/** For few and important lines: each is written before `write` returns, so that a crash cannot swallow its reason. */
export function directDestination(fd: number): LogDestination {
  return pino.destination({ fd, sync: true });
}

const RECORD_OPTIONS: LoggerOptions = {
  // No pid and host name: whoever runs the process knows them, and they would be most of a line.
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
};

/** Writes JSON records with a time in UTC and the level's name. */
export function recordLogger(destination: Pick<LogDestination, 'write'>, level: string): Logger {
  return pino({ ...RECORD_OPTIONS, level }, destination);
}
