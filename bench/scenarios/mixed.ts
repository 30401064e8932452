// Fast handlers beside slow ones, on a PostgreSQL server: whether a look-up waits for requests that take a fifth of a second.
import { mixedContestant } from '../harness/mixed-contestant.ts';
import type { Scenario } from '../harness/scenario.ts';
import { FIRST_ITEM, itemBody } from '../servers/items.ts';
import { fastifyPg, howdahOnServer } from './sql-server-more.ts';
import type { SqlPeer } from './sql-server-more.ts';

const fast = { connections: 4, target: `/item/${FIRST_ITEM}`, script: 'items.lua' };
/** More at a time than either keeps sessions with the database. */
const slow = { connections: 16, target: '/slow', script: 'summary.lua' };
const expected = {
  status: 200,
  body: itemBody(FIRST_ITEM),
  fields: { 'content-type': /^application\/json\b/ },
};

const howdah = howdahOnServer('items/20-route.sql', 'slow/10-slow.sql');

function contestant(peer: SqlPeer, name: string, isMixed: boolean) {
  return mixedContestant({ ...peer, name, fast, expected, slow: isMixed ? slow : null });
}

/** "Fast handlers stay under three times their unloaded p99", as a ratio of the other direction. */
const THIRD = 0.333;

export const mixed: Scenario = {
  name: 'mixed',
  title: 'p99 of look-ups, 4 at a time, while 16 requests at a time take 200 ms, on a PostgreSQL server',
  unit: 'ms',
  faster: 'lower',
  subject: 'howdah',
  warmUpSeconds: 4,
  contestants: [
    contestant(fastifyPg, 'Fastify + pg without the slow ones', false),
    contestant(fastifyPg, 'Fastify + pg', true),
    contestant(howdah, 'howdah without the slow ones', false),
    contestant(howdah, 'howdah', true),
  ],
  targets: [{ against: 'howdah without the slow ones', atLeast: THIRD }],
};
