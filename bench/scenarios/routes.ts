// The look-up of sql-embedded behind few routes and behind many: what choosing among them costs.
import { httpContestant } from '../harness/http-contestant.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import { FIRST_ITEM, itemBody } from '../servers/items.ts';
import { benchFile, howdahServe, howdahVersion } from './commands.ts';

const FEW = 'howdah, 10 routes';
const MANY = 'howdah, 1000 routes';

/** As many, less what runs of one and the same server differ by. */
const SAME_WITHIN_NOISE = 0.95;

function contestant(name: string, routes: string): Contestant {
  return httpContestant({
    name,
    version: howdahVersion(),
    server: howdahServe(
      '--memory',
      '--sql',
      benchFile('sql/items'),
      '--sql',
      benchFile(`sql/routes/${routes}`),
    ),
    load: { connections: 64, target: `/item/${FIRST_ITEM}`, script: 'items.lua' },
    expected: { status: 200, body: itemBody(FIRST_ITEM), fields: { 'content-type': /^application\/json\b/ } },
  });
}

export const routes: Scenario = {
  name: 'routes',
  title: 'The look-up behind 10 and behind 1000 routes, 64 connections',
  unit: 'requests/s',
  faster: 'higher',
  subject: MANY,
  contestants: [contestant(FEW, '10-routes.sql'), contestant(MANY, '1000-routes.sql')],
  targets: [{ against: FEW, atLeast: SAME_WITHIN_NOISE }],
};
