// Which session of the pool takes a call. The sessions stand in a fixed order.
//
//   quick call    the first session with little to do, behind others: a backend that is fed in batches does more than
//                 several that take turns on the same cores
//   other call    an idle session; else behind few others
//   long call     an idle session, from the other end; one session is always left to the others
//
// Nothing goes behind a long call, or behind one that turns out to be one.
import type { CallCost } from './call-costs.ts';

/** Calls that need less are piled up. Waiting for another one of them costs less than waking another backend. */
const QUICK_MS = 0.3;

/** Unless they take more than this on the average: then some of them are not like the others. */
const QUICK_MEAN_MS = 3;

/** Calls that take longer are not waited for. Also what a busy event loop may make of a quick one. */
export const LONG_MS = 10;

/** How much of quick calls a session is given before the next one is used; covers the time that answers take to be read. */
const QUICK_BACKLOG_MS = 2;

/** Quick calls that a session is given in any case: those of a batch that runs, and of the next (session.ts). */
const FULL_CALLS = 32;

/** How much of other calls a session is given where none is idle. */
const BACKLOG_MS = 5;

/** Of all kinds; bounds what is lost with a session. */
const MAX_IN_FLIGHT = 256;

export interface Placeable {
  readonly inFlight: number;
  readonly backlogMs: number;
  readonly isCancelling: boolean;
  /** Whether a call is in it that has not been measured yet: it may take long, or wait for another one. */
  readonly hasUnmeasured: boolean;
  isLong(now: number): boolean;
}

/** null: none takes it now. `sessions` may become `maxSessions`. */
export function placeCall<T extends Placeable>(
  sessions: readonly T[],
  maxSessions: number,
  cost: CallCost,
  now: number,
): T | null {
  if (cost.meanMs > LONG_MS) return placeLong(sessions, maxSessions, now);
  const quick = isQuick(cost);
  let least: T | null = null;
  for (const session of sessions) {
    if (session.isCancelling || session.isLong(now) || session.inFlight >= MAX_IN_FLIGHT) continue;
    if (session.inFlight === 0) return session;
    // Two requests that wait for one another must not be in one session, as long as there can be another.
    if (session.hasUnmeasured && sessions.length < maxSessions) continue;
    if (quick && hasRoom(session)) return session;
    if (least === null || session.backlogMs < least.backlogMs) least = session;
  }
  return least !== null && least.backlogMs + expectedMs(cost) <= BACKLOG_MS ? least : null;
}

function placeLong<T extends Placeable>(sessions: readonly T[], maxSessions: number, now: number): T | null {
  const allowed = Math.max(1, maxSessions - 1);
  let idle: T | null = null;
  let long = 0;
  for (const session of sessions) {
    if (session.isLong(now)) long += 1;
    else if (session.inFlight === 0 && !session.isCancelling) idle = session;
  }
  return long < allowed ? idle : null;
}

/** Whether a call is better run by somebody else with an idle session than placed where placeCall has found a place for it. */
export function isBetterElsewhere(taken: Placeable | null, cost: CallCost): boolean {
  return taken === null || (taken.inFlight > 0 && !isQuick(cost));
}

/** What a call adds to the backlog of its session, in ms. */
export function expectedMs(cost: CallCost): number {
  return isQuick(cost) ? cost.leastMs : cost.meanMs;
}

/** Whether another session would have served a call better than the one that it was given, which it is not in yet. */
export function needsMore(taken: Placeable, cost: CallCost): boolean {
  return taken.inFlight > 0 && !(isQuick(cost) && hasRoom(taken));
}

function isQuick({ meanMs, leastMs }: CallCost): boolean {
  return leastMs <= QUICK_MS && meanMs <= QUICK_MEAN_MS;
}

function hasRoom({ inFlight, backlogMs }: Placeable): boolean {
  return inFlight < FULL_CALLS || backlogMs <= QUICK_BACKLOG_MS;
}
