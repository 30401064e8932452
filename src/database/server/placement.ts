// Which session of the pool takes a call. The sessions stand in a fixed order.
//
//   quick call     the first session with little to do, behind others: a backend that is fed in batches does more than
//                  several that take turns on the same cores
//   other call     an idle session; else behind few others. Now and then only few sessions are used, as a trial
//   unknown call   an idle session, or behind calls that are not long; one session is left to the others
//   long call      an idle session, from the other end; one session is left to the others
//
// Nothing goes behind a long call, behind an unknown one, or behind one that turns out to be long.
import { isQuick, isTrial, LONG_MS, type CallCost } from './call-costs.ts';

/** Long calls that need less may be given the last session. */
const NOT_MUCH_LONGER_MS = 100;

/** How much of quick calls a session is given before the next one is used; covers the time that answers take to be read. */
const QUICK_BACKLOG_MS = 2;

/** Quick calls that a session is given in any case: those of a batch that runs, and of the next (session.ts). */
const FULL_CALLS = 32;

/** How much of other calls a session is given where none is idle. */
const BACKLOG_MS = 5;

/** Sessions that other calls are given in a trial. */
const TRIAL_SESSIONS = 6;

/** Of all kinds; bounds what is lost with a session. */
const MAX_IN_FLIGHT = 256;

/** `unknown`: of a statement that has not been measured. */
export type CallKind = 'quick' | 'other' | 'unknown' | 'long';

export interface Placeable {
  readonly inFlight: number;
  readonly backlogMs: number;
  readonly isCancelling: boolean;
  /** Whether it is kept free for a call that waits for it to be idle. */
  readonly isHeld: boolean;
  /** Whether an unknown call is in it: it may take long, or wait for another one. */
  readonly hasUnknown: boolean;
  /** Whether a long call is in it, or one runs that seems to be. */
  isLong(now: number): boolean;
  /** Whether a call runs in it that turned out to be long, and may be one of this statement. */
  overruns(cost: CallCost): boolean;
}

/** What is to be expected of the next call of a statement. One that runs too long says so before it has ended. */
export function kindOf(cost: CallCost, sessions: readonly Placeable[]): CallKind {
  if (cost.meanMs > LONG_MS) return 'long';
  if (cost.inFlight > 0) {
    for (const session of sessions) if (session.overruns(cost)) return 'long';
  }
  if (!cost.measured) return 'unknown';
  return isQuick(cost) ? 'quick' : 'other';
}

/** null: none takes it now. `sessions` may become `maxSessions`. */
export function placeCall<T extends Placeable>(
  sessions: readonly T[],
  maxSessions: number,
  kind: CallKind,
  cost: CallCost,
  now: number,
): T | null {
  if ((kind === 'long' || kind === 'unknown') && !leavesOne(sessions, now) && !mayTakeLast(cost)) return null;
  if (kind === 'long') return placeLong(sessions);
  let usable = kind === 'other' && isTrial(cost) ? TRIAL_SESSIONS : sessions.length;
  let least: T | null = null;
  for (const session of sessions) {
    if (session.isCancelling || session.isLong(now) || session.inFlight >= MAX_IN_FLIGHT) continue;
    if (session.isHeld && !(kind === 'unknown' && session.inFlight === 0)) continue;
    if (session.inFlight === 0) return session;
    // Two requests that wait for one another must not be in one session, as long as there can be another.
    if (session.hasUnknown && maxSessions > 1) continue;
    if (kind === 'quick' && hasRoom(session)) return session;
    if (least === null || session.backlogMs < least.backlogMs) least = session;
    usable -= 1;
    if (usable === 0) break;
  }
  if (kind === 'unknown' && sessions.length < maxSessions) return null;
  return least !== null && least.backlogMs + expectedMs(kind, cost) <= BACKLOG_MS ? least : null;
}

function placeLong<T extends Placeable>(sessions: readonly T[]): T | null {
  let idle: T | null = null;
  for (const session of sessions) {
    if (session.inFlight === 0 && !session.isCancelling && (idle === null || !idle.isHeld)) idle = session;
  }
  return idle;
}

/**
 * Of a call that is long or unknown. One at a time of each statement may, or what a busy machine had made of a quick one
 * would have to wait until those others were over.
 */
function mayTakeLast({ inFlight, meanMs }: CallCost): boolean {
  return inFlight === 0 && meanMs <= NOT_MUCH_LONGER_MS;
}

/** Whether one session is left to quick calls when another one is given to a long call. A single one has to do for all. */
function leavesOne(sessions: readonly Placeable[], now: number): boolean {
  let taken = 0;
  for (const session of sessions) {
    if (session.inFlight > 0 && (session.hasUnknown || session.isLong(now))) taken += 1;
  }
  return taken < Math.max(1, sessions.length - 1);
}

/**
 * The session that is to become idle for a long call that waits. null: it waits for others of its kind to end.
 * Without it, calls of other kinds would always find room first.
 */
export function sessionToHold<T extends Placeable>(sessions: readonly T[], now: number): T | null {
  if (!leavesOne(sessions, now)) return null;
  let least: T | null = null;
  for (const session of sessions) {
    if (session.isCancelling || session.hasUnknown || session.isLong(now)) continue;
    if (least === null || session.backlogMs <= least.backlogMs) least = session;
  }
  return least;
}

/** Whether a call is better run by somebody else with an idle session than placed where placeCall has found a place for it. */
export function isBetterElsewhere(taken: Placeable | null, kind: CallKind): boolean {
  return taken === null || (taken.inFlight > 0 && kind !== 'quick');
}

/** What a call adds to the backlog of its session, in ms. */
export function expectedMs(kind: CallKind, cost: CallCost): number {
  return kind === 'quick' ? cost.leastMs : cost.meanMs;
}

/** Whether there should be another session: for the next call, or since this one had better been in another than in `taken`. */
export function needsMore(
  sessions: readonly Placeable[],
  taken: Placeable,
  kind: CallKind,
  now: number,
): boolean {
  if (taken.inFlight > 0) return kind !== 'quick' || !hasRoom(taken);
  if (kind !== 'long') return false;
  return sessions.every((session) => session === taken || session.hasUnknown || session.isLong(now));
}

function hasRoom({ inFlight, backlogMs }: Placeable): boolean {
  return inFlight < FULL_CALLS || backlogMs <= QUICK_BACKLOG_MS;
}
