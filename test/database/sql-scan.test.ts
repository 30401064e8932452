// What the gateway reads out of texts and tags, without PostgreSQL.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  changesChannels,
  dropsStatements,
  mayChangeSession,
} from '../../src/database/gateway/command-tags.ts';
import {
  parseState,
  PLAIN_STATE,
  restoreState,
  startupSettings,
} from '../../src/database/gateway/session-state.ts';
import {
  channelChanges,
  mayChangeSession as textMayChangeSession,
} from '../../src/database/gateway/sql-scan.ts';

describe('LISTEN and UNLISTEN in a text', () => {
  const cases: readonly [text: string, expected: string][] = [
    ['listen a', 'listen a'],
    ['LISTEN Some_Name; unlisten other', 'listen some_name, unlisten other'],
    ['listen "Quoted ""Name"""', 'listen Quoted "Name"'],
    ['begin; listen a; commit', 'listen a'],
    ['unlisten *', 'unlisten-all'],
    ['discard all', 'unlisten-all'],
    ['discard plans -- listen a', ''],
    ["select 'x; listen a'; listen b", 'listen b'],
    ["select 'it''s; listen a', e'\\'; listen c'; listen b", 'listen b'],
    ['select $$; listen a;$$, $x$; listen a; $$ $x$; listen b', 'listen b'],
    ['/* listen a; /* nested */ */ listen b', 'listen b'],
    ['listen -- a\n b', 'listen b'],
    ["select 'open; listen a", ''],
    ["select e'open; listen a", ''],
    ['/* open listen a', ''],
    ['$$ listen a', ''],
    ['listen', ''],
    ['select listen from b', ''],
    ['select 1', ''],
  ];
  for (const [text, expected] of cases) {
    it(`are found in ${JSON.stringify(text)}`, () => {
      const found = channelChanges(text).map((change) =>
        'channel' in change ? `${change.kind} ${change.channel}` : change.kind,
      );
      assert.equal(found.join(', '), expected);
    });
  }
});

describe('a session that may have changed', () => {
  it('is suspected after commands that set, declare, do or discard', () => {
    for (const tag of [
      'SET',
      'RESET',
      'DISCARD ALL',
      'DO',
      'CALL',
      'DECLARE CURSOR',
      'CREATE TABLE',
      'CREATE TABLE AS',
    ]) {
      assert.ok(mayChangeSession(tag), tag);
    }
    for (const tag of ['SELECT 1', 'INSERT 0 1', 'COMMIT', 'SETTLE', ''])
      assert.ok(!mayChangeSession(tag), tag);
  });

  it('is suspected after functions that set, lock or make what is temporary', () => {
    for (const text of [
      "select set_config('a', 'b', false)",
      'select pg_advisory_lock(1)',
      'create temp table x ()',
      'with hold',
    ]) {
      assert.ok(textMayChangeSession(text), text);
    }
    assert.ok(!textMayChangeSession('select * from items'));
  });
});

describe('command tags', () => {
  it('tell of dropped statements and of channels exactly', () => {
    assert.deepEqual(['DISCARD ALL', 'DEALLOCATE ALL', 'DISCARD PLANS', 'DEALLOCATE'].map(dropsStatements), [
      true,
      true,
      false,
      false,
    ]);
    assert.deepEqual(['LISTEN', 'UNLISTEN', 'DISCARD ALL', 'NOTIFY'].map(changesChannels), [
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('the state of a client', () => {
  it('of a startup packet is its parameters and its command line', () => {
    const parameters = new Map([
      ['user', 'me'],
      ['database', 'x'],
      ['replication', 'false'],
      ['application_name', 'app'],
      ['options', '-c work_mem=1MB -csearch_path=a\\ b --time-zone=UTC -x -c'],
    ]);
    assert.deepEqual(
      [...startupSettings(parameters)],
      [
        ['work_mem', '1MB'],
        ['search_path', 'a b'],
        ['time_zone', 'UTC'],
        ['application_name', 'app'],
      ],
    );
  });

  it('is brought back as SQL, quoted', () => {
    assert.equal(restoreState(PLAIN_STATE), '');
    const state = {
      settings: new Map([['app.x', "it's \\ here"]]),
      role: 'some"role',
      user: 'me',
      holdsObjects: false,
    };
    assert.equal(
      restoreState(state),
      `SELECT pg_catalog.set_config('app.x',  E'it''s \\\\ here', false); SET SESSION AUTHORIZATION "me"; SET ROLE "some""role"`,
    );
  });

  it('of a session whose answer is incomplete is plain', () => {
    assert.deepEqual(parseState([]), PLAIN_STATE);
  });
});
