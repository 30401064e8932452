// The same SQL route over HTTP/1.1 and over HTTP/2, on the embedded engine, with 64 requests at a time.
import { h2loadContestant } from '../harness/h2load-contestant.ts';
import { httpContestant } from '../harness/http-contestant.ts';
import type { Expectation } from '../harness/probe.ts';
import type { Scenario } from '../harness/scenario.ts';
import { FIRST_ITEM, itemBody } from '../servers/items.ts';
import { benchFile, howdahServe, howdahVersion } from './commands.ts';

const target = `/item/${FIRST_ITEM}`;
const expected: Expectation = {
  status: 200,
  body: itemBody(FIRST_ITEM),
  fields: { 'content-type': /^application\/json\b/, date: /GMT$/ },
};
const server = howdahServe('--memory', '--sql', benchFile('sql/items'));
const version = howdahVersion();

export const sqlHttp2: Scenario = {
  name: 'sql-http2',
  title:
    'A row looked up by key over HTTP/1.1 (64 connections) and HTTP/2 (4 connections, 16 streams on each)',
  unit: 'requests/s',
  faster: 'higher',
  subject: 'HTTP/2',
  // As in sql-embedded.
  warmUpSeconds: 12,
  contestants: [
    httpContestant({
      name: 'HTTP/1.1',
      version,
      server,
      load: { connections: 64, target, script: 'summary.lua' },
      expected,
    }),
    h2loadContestant({
      name: 'HTTP/2',
      version,
      server,
      load: { scheme: 'http', protocol: 'h2', connections: 4, streams: 16, target },
      expected,
    }),
  ],
  targets: [{ against: 'HTTP/1.1', atLeast: 1 }],
};
