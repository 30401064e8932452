// Where in an application SQL was asked for: what fails comes back in the loop that reads from the database, whose stack says nothing
// to whoever wrote the statement.
import { SqlFailure } from '../database/exchange-result.ts';

/** Sources whose frames are not shown. */
const OWN = new Set<string>([import.meta.url]);

/** Leaves the frames of a module out of what is shown: those between the application and the database. */
export function hideFrames(moduleUrl: string): void {
  OWN.add(moduleUrl);
}

/** Kept with a statement while it runs. For development: it costs about 10 µs, a large part of a short statement. */
export class CallPlace {
  readonly stack?: string;

  constructor() {
    Error.captureStackTrace(this, CallPlace);
  }

  /** Gives the error the place in its stack. */
  of(error: unknown): unknown {
    if (!(error instanceof SqlFailure)) return error;
    const frames = (this.stack ?? '').split('\n').slice(1);
    const shown = frames.filter((frame) => ![...OWN].some((url) => frame.includes(url)));
    if (shown.length > 0) error.stack = [`${error.name}: ${error.message}`, ...shown].join('\n');
    return error;
  }
}
