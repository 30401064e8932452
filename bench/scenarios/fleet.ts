// What a second worker brings, for a handler that costs CPU and for a look-up in SQL, and what it costs to have a sibling run a call.
// The load generator and the database compete with both workers for two cores: what is measured is less than what is there.
import { onBothCores } from '../harness/both-cores.ts';
import { httpContestant } from '../harness/http-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import { resendContestant } from '../harness/resend-contestant.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { WORKED } from '../servers/fleet-application.ts';
import { FIRST_ITEM, itemBody } from '../servers/items.ts';
import { benchFile, howdahServe, howdahVersion } from './commands.ts';
import { withPostgres } from './sql-server.ts';

const ONE = 'howdah, one worker';
const TWO = 'howdah, two workers';

function fleet(workers: number, ...more: readonly string[]): ServerCommand {
  return withPostgres(howdahServe(...more, '--database', 'env', '--workers', String(workers)));
}

function scaling(
  target: string,
  script: string,
  expected: Expectation,
  ...more: readonly string[]
): Contestant[] {
  return [ONE, TWO].map((name, index) =>
    onBothCores(
      httpContestant({
        name,
        version: howdahVersion(),
        server: fleet(index + 1, ...more),
        load: { connections: 32, target, script },
        expected,
      }),
    ),
  );
}

const common = { unit: 'requests/s', faster: 'higher', subject: TWO, warmUpSeconds: 4 } as const;

export const fleetCpu: Scenario = {
  ...common,
  name: 'fleet-cpu',
  title: 'A handler that costs a millisecond of CPU, with one and with two workers on two cores',
  contestants: scaling(
    '/work',
    'summary.lua',
    { status: 200, body: WORKED, fields: { 'content-type': /^text\/plain/ } },
    benchFile('servers/fleet-application.ts'),
  ),
  targets: [{ against: ONE, atLeast: 1.7 }],
};

export const fleetSql: Scenario = {
  ...common,
  name: 'fleet-sql',
  title:
    'A row looked up by key, with one and with two workers on two cores, which the database has a part of',
  contestants: scaling(
    `/item/${FIRST_ITEM}`,
    'items.lua',
    { status: 200, body: itemBody(FIRST_ITEM), fields: { 'content-type': /^application\/json\b/ } },
    '--sql',
    benchFile('sql/items/20-route.sql'),
  ),
  targets: [],
};

const DIRECT = 'howdah, by its own session';
const RESENT = "howdah, by a sibling's session";

function lone(name: string, where: string, hold: string | null): Contestant {
  const server = fleet(2, '--sessions', '2', '--sql', benchFile('sql/fleet/10-fleet.sql'));
  return onBothCores(resendContestant({ name, version: howdahVersion(), server, where, hold }));
}

function resend(where: string): Contestant[] {
  return [lone(DIRECT, where, null), lone(RESENT, where, '/hold')];
}

const latency = { unit: 'µs', faster: 'lower', subject: RESENT, warmUpSeconds: 3 } as const;

/** A call that is sent to a sibling may take 30 % more. */
const RESENT_SHARE = 0.77;

export const fleetResend: Scenario = {
  ...latency,
  name: 'fleet-resend',
  title: 'A SQL route of a millisecond, one request at a time, by a session of the worker and of its sibling',
  contestants: resend('/counted'),
  targets: [{ against: DIRECT, atLeast: RESENT_SHARE }],
};

/** Such a call is sent only where the worker's own session is held by a long one: otherwise waiting for it costs less. */
export const fleetResendQuick: Scenario = {
  ...latency,
  name: 'fleet-resend-quick',
  title: 'The same with a SQL route that does nothing',
  contestants: resend('/where'),
  targets: [],
};
