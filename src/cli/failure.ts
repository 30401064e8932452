// How a failure looks to somebody at the command line: one line, a hint, and an exit code.
import { SqlFailure } from '../database/exchange-result.ts';
import { HowdahError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { EXIT_CODES } from './exit-codes.ts';

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  HOWDAH_DATA_LOCKED: EXIT_CODES.dataDirectory.code,
  HOWDAH_DATA_UNUSABLE: EXIT_CODES.dataDirectory.code,
  HOWDAH_ADDRESS_UNUSABLE: EXIT_CODES.address.code,
  HOWDAH_NO_SERVER: EXIT_CODES.noServer.code,
  HOWDAH_DATABASE_URL: EXIT_CODES.usage.code,
  HOWDAH_DATABASE_UNREACHABLE: EXIT_CODES.noServer.code,
};

/** The exit code that a failure ends with; 1 for all that has none of its own. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof HowdahError) return EXIT_OF[error.code] ?? EXIT_CODES.failed.code;
  // Of a socket that nobody has wrapped in an error of our own.
  if (
    error instanceof Error &&
    'syscall' in error &&
    (error.syscall === 'listen' || error.syscall === 'bind')
  ) {
    return EXIT_CODES.address.code;
  }
  return EXIT_CODES.failed.code;
}

/** Text for standard error. What has no code of ours is a defect or the system's word, and shows where it came from. */
export function failureText(error: unknown): string {
  if (error instanceof HowdahError) return `howdah: ${error.message}\nhint: ${error.hint}\n`;
  if (error instanceof SqlFailure) {
    const { message, code, detail, hint } = error.sql;
    const more = detail === undefined ? '' : `: ${detail}`;
    return `howdah: PostgreSQL refuses: ${message} (${code})${more}\n${hint === undefined ? '' : `hint: ${hint}\n`}`;
  }
  if (error instanceof Error)
    return `howdah: ${'syscall' in error ? error.message : (error.stack ?? error.message)}\n`;
  return `howdah: ${String(error)}\n`;
}
