// The look-up on a PostgreSQL server at half of the load that each contestant can bear at most: whether its answers come evenly when
// there is room. At half of its own peak howdah is asked for several times as much as its peers; so it is at theirs, too.
import { halfLoadContestant } from '../harness/half-load-contestant.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import { FIRST_ITEM, itemBody } from '../servers/items.ts';
import { fastifyPg, fastifyPostgres, howdahOnServer } from './sql-server-more.ts';
import type { SqlPeer } from './sql-server-more.ts';

const load = { connections: 64, target: `/item/${FIRST_ITEM}`, script: 'items.lua' };
const expected = {
  status: 200,
  body: itemBody(FIRST_ITEM),
  fields: { 'content-type': /^application\/json\b/ },
};
const howdah = howdahOnServer('items/20-route.sql');

/** What each was asked for in its last run: in one round the peers run before those that are asked for the same. */
const rates = new Map<string, number>();

function atHalf(peer: SqlPeer): Contestant {
  return halfLoadContestant({
    ...peer,
    load,
    expected,
    rateOf(peak) {
      const half = peak / 2;
      rates.set(peer.name, half);
      return half;
    },
  });
}

function atRateOf(peer: SqlPeer): Contestant {
  return halfLoadContestant({
    ...howdah,
    name: `howdah at the rate of ${peer.name}`,
    load,
    expected,
    rateOf: () => rates.get(peer.name) ?? null,
  });
}

export const sqlServerHalfLoad: Scenario = {
  name: 'sql-server-half-load',
  title:
    'p99 of look-ups at half of the peak load, at a constant rate, on a PostgreSQL server, 64 connections',
  unit: 'ms',
  faster: 'lower',
  subject: 'howdah',
  warmUpSeconds: 5,
  contestants: [
    atHalf(fastifyPg),
    atHalf(fastifyPostgres),
    atRateOf(fastifyPg),
    atRateOf(fastifyPostgres),
    atHalf(howdah),
  ],
  targets: [
    { against: fastifyPg.name, atLeast: 1 },
    { against: fastifyPostgres.name, atLeast: 1 },
  ],
};
