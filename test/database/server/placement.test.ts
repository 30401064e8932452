// Which session of the pool takes a call.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertProperty, constantFrom, double, property } from 'fast-check';
import type { CallCost } from '../../../src/database/server/call-costs.ts';
import {
  isBetterElsewhere,
  kindOf,
  needsMore,
  placeCall,
  sessionToHold,
  type CallKind,
  type Placeable,
} from '../../../src/database/server/placement.ts';

interface Fake extends Placeable {
  readonly name: string;
  readonly long: boolean;
}

function session(name: string, inFlight = 0, backlogMs = 0, more: Partial<Fake> = {}): Fake {
  const states = { isCancelling: false, isHeld: false, hasUnknown: false, long: false };
  const fake = { name, inFlight, backlogMs, ...states, overruns: () => false, ...more };
  return { ...fake, isLong: () => fake.long };
}

const cost = (meanMs: number, leastMs = meanMs): CallCost => ({
  meanMs,
  leastMs,
  measured: true,
  samples: 100,
  inFlight: 0,
});
const unknown = (inFlight: number): CallCost => ({
  meanMs: 1,
  leastMs: 1,
  measured: false,
  samples: 0,
  inFlight,
});

/** The name of the session that a call of `of` is placed in. */
function place(sessions: readonly Fake[], of: number | CallCost, max = sessions.length): string | null {
  const known = typeof of === 'number' ? cost(of) : of;
  return placeCall(sessions, max, kindOf(known, sessions), known, 0)?.name ?? null;
}

describe('a call', () => {
  it('that is quick goes behind others, in the first session that has little to do', () => {
    assert.equal(place([session('a', 20, 1), session('b')], 0.05), 'a');
    assert.equal(place([session('a', 60, 3), session('b')], 0.05), 'b');
  });

  it('that is quick fills two batches of a session before it goes to another, whatever it is expected to take', () => {
    assert.equal(place([session('a', 31, 9), session('b')], 0.3), 'a');
    assert.equal(place([session('a', 32, 9), session('b')], 0.3), 'b');
  });

  it('is quick by the least it took, unless others of its statement take much more', () => {
    const first = session('a', 20, 1);
    assert.equal(place([first, session('b')], cost(2, 0.05)), 'a');
    assert.equal(place([first, session('b')], cost(4, 0.05)), 'b');
  });

  it('that is neither quick nor long goes to an idle session, and else behind few others', () => {
    assert.equal(place([session('a', 1, 1), session('b')], 1), 'b');
    assert.equal(place([session('a', 3, 3), session('b', 2, 2)], 1), 'b');
    assert.equal(place([session('a', 4, 4.5), session('b', 5, 5)], 1), null);
  });

  it('that is neither quick nor long is given few sessions in a trial', () => {
    const six = Array.from({ length: 6 }, (_, i) => session(String(i), 1, 1 + i / 10));
    const sessions = [...six, session('idle')];
    assert.equal(place(sessions, { ...cost(1), samples: 100 }), 'idle');
    assert.equal(place(sessions, { ...cost(1), samples: 0 }), '0');
    assert.equal(
      place([session('long', 1, 0, { long: true }), ...sessions], { ...cost(1), samples: 0 }),
      '0',
    );
  });

  it('that is long goes to an idle session, and leaves one of those that are open to the others', () => {
    const long = session('long', 1, 50, { long: true });
    assert.equal(place([session('a'), session('b')], 50), 'b');
    assert.equal(place([session('a', 1, 0.1), session('b')], 50), 'b');
    assert.equal(place([session('a', 1, 0.1)], 50), null);
    assert.equal(place([session('a'), long], 200), null);
    assert.equal(place([session('a'), long], 200, 3), null);
    assert.equal(place([session('a'), session('b'), long], 200), 'b');
    assert.equal(place([session('a')], 50), 'a');
  });

  it('that is long, but not by much, goes to the last session where no other of its statement is in any', () => {
    const sessions = [session('a'), session('long', 1, 50, { long: true })];
    assert.equal(place(sessions, { ...cost(50), inFlight: 0 }), 'a');
    assert.equal(place(sessions, { ...cost(50), inFlight: 1 }), null);
    assert.equal(place(sessions, { ...cost(150), inFlight: 0 }), null);
  });

  it('is long while one of its statement runs that turned out to be, whatever those before took', () => {
    const of = { ...cost(0.05), inFlight: 1 };
    const overrunning = session('a', 1, 0.05, { long: true, overruns: (other) => other === of });
    assert.equal(kindOf(of, [overrunning]), 'long');
    assert.equal(kindOf({ ...of }, [overrunning]), 'quick');
    assert.equal(kindOf(unknown(1), [overrunning]), 'unknown');
  });

  it('of any kind goes behind no long one, and not where a cancellation is under way', () => {
    const sessions = [
      session('long', 1, 0.1, { long: true }),
      session('cancelling', 0, 0, { isCancelling: true }),
    ];
    assertProperty(
      property(double({ min: 0, max: 1000, noNaN: true }), (meanMs) => {
        assert.equal(place(sessions, meanMs, 8), null);
      }),
    );
  });

  it('goes behind none that is unknown, as long as there may be another session', () => {
    const first = session('first', 1, 1, { hasUnknown: true });
    assert.equal(place([first], 1, 2), null);
    assert.equal(place([first], 0.05, 2), null);
    assert.equal(place([first, session('b', 20, 1)], 0.05), 'b');
    assert.equal(place([first, session('b', 1, 1)], 1), 'b');
    assert.equal(place([first], 1, 1), 'first');
    assert.equal(place([first], unknown(0), 1), 'first');
  });

  it('that is unknown leaves a session to the others, unless it is the first of its statement', () => {
    const sessions = [
      session('a'),
      session('b', 1, 1, { hasUnknown: true }),
      session('c', 1, 1, { long: true }),
    ];
    assert.equal(place(sessions, unknown(1)), null);
    assert.equal(place(sessions, unknown(0)), 'a');
    assert.equal(place([session('a'), session('b')], unknown(1)), 'a');
  });

  it('that is unknown goes behind others only where there cannot be another session', () => {
    const busy = [session('a', 3, 1), session('b', 2, 2)];
    assert.equal(place(busy, unknown(1), 3), null);
    assert.equal(place(busy, unknown(1), 2), 'a');
  });

  it('goes to no session that is kept free, but those for which it is', () => {
    const held = session('held', 0, 0, { isHeld: true });
    assert.equal(place([held, session('b', 1, 0.1)], 0.05), 'b');
    assert.equal(place([held, session('b', 1, 4.9)], 1), null);
    assert.equal(place([held, session('b', 1, 0.1)], 50), 'held');
    assert.equal(place([held, session('b')], 50), 'held');
    assert.equal(place([held, session('b', 1, 0.1)], unknown(1)), 'held');
    assert.equal(place([session('held', 1, 0.1, { isHeld: true }), session('b', 1, 0.1)], 50), null);
  });

  it('asks for another session where one would have been better, or none is left for the next', () => {
    const needs = (taken: Fake, kind: CallKind, ...others: Fake[]): boolean =>
      needsMore([taken, ...others], taken, kind, 0);
    assert.equal(needs(session('a'), 'other'), false);
    assert.equal(needs(session('a', 1, 1), 'other'), true);
    assert.equal(needs(session('a', 10, 0.5), 'quick'), false);
    assert.equal(needs(session('a', 60, 3), 'quick'), true);
    assert.equal(needs(session('a'), 'unknown'), false);
    assert.equal(needs(session('a'), 'long'), true);
    assert.equal(needs(session('a'), 'long', session('b', 1, 1, { long: true })), true);
    assert.equal(needs(session('a'), 'long', session('b')), false);
  });

  it('is better run by another process with an idle session where it finds none here, unless it is quick', () => {
    assert.equal(isBetterElsewhere(null, 'quick'), true);
    assert.equal(isBetterElsewhere(session('a'), 'long'), false);
    assert.equal(isBetterElsewhere(session('a', 1, 1), 'quick'), false);
    assert.equal(isBetterElsewhere(session('a', 1, 1), 'other'), true);
  });
});

describe('the session that is kept free for a long call', () => {
  it('is the last of those with least to do', () => {
    assert.equal(sessionToHold([session('a', 9, 3), session('b', 2, 1), session('c', 3, 2)], 0)?.name, 'b');
    assert.equal(sessionToHold([session('a', 1, 1), session('b', 1, 1)], 0)?.name, 'b');
  });

  it('is none of which one is running that may be long, and none where only one is left', () => {
    const long = session('long', 1, 0, { long: true });
    assert.equal(sessionToHold([session('a', 1, 1), session('b', 1, 2), long], 0)?.name, 'a');
    assert.equal(sessionToHold([session('a', 1, 1), long], 0), null);
    const unsure = session('unknown', 1, 0, { hasUnknown: true });
    assert.equal(sessionToHold([session('a', 1, 1), session('b', 1, 2), unsure], 0)?.name, 'a');
  });

  it('leaves one session to quick calls, whatever runs in the others', () => {
    const states = constantFrom({ long: true }, { hasUnknown: true }, {}, { isCancelling: true });
    assertProperty(
      property(states, states, states, states, (...all) => {
        const sessions = all.map((state, index) => session(String(index), 1, index, state));
        const held = sessionToHold(sessions, 0);
        if (held === null) return;
        const left = sessions.filter((each) => each !== held && !each.long && !each.hasUnknown);
        assert.ok(left.length > 0);
      }),
    );
  });
});
