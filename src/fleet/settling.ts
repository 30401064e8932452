// How long the master waits for its workers to have done what they were told. Nothing else waits for one that hangs.
import { setTimeout as wait } from 'node:timers/promises';

/** Messages between processes that are alive take a moment, on a machine that is full. */
export const SETTLE_MS = 2000;

/** Resolves when `done` does, or after `timeoutMs`. */
export async function within(done: Promise<unknown>, timeoutMs: number): Promise<void> {
  const ended = new AbortController();
  const late = wait(timeoutMs, undefined, { signal: ended.signal }).catch(() => undefined);
  await Promise.race([done, late]);
  ended.abort();
}
