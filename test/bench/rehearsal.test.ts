// The contestants that need nothing but this repository answer rightly, as `npm run bench -- --rehearse` asks all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCENARIOS } from '../../bench/scenarios/all.ts';

const plan = { seconds: 1, warmUpSeconds: 1, cores: { server: null, load: null, warning: null } };

/** Without packages of bench/package.json, programs of Debian's and PostgreSQL servers. */
const ON_THEIR_OWN = ['fixed bytes', 'node:http', 'node:http2', 'node:https', 'howdah'];

/** One of each kind of server and answer. */
const REHEARSED = [
  'plain-http1',
  'json-http1',
  'static-files',
  'static-files-large',
  'body-http1',
  'headers-http2',
  'plain-https-h2',
  'sql-embedded-rows',
  'sql-embedded-insert',
];

for (const name of REHEARSED) {
  const scenario = SCENARIOS.find((each) => each.name === name);
  test(`the contestants of ${name} answer rightly`, async () => {
    assert.ok(scenario !== undefined);
    const chosen = scenario.contestants.filter((each) => ON_THEIR_OWN.includes(each.name));
    assert.ok(chosen.some((each) => each.name === 'howdah'));
    for (const contestant of chosen) assert.equal(await contestant.rehearse?.(plan), null, contestant.name);
  });
}
