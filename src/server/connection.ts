// What the server knows of each of its connections, whatever it speaks.
import type { Timed } from './server-clock.ts';

export interface Connection extends Timed {
  /** Finishes the requests that are under way, takes no further ones, and closes. */
  drain(): void;
  /** Ends at once. */
  destroy(): void;
}
