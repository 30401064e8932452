// The session suite over each PostgreSQL server that is installed, and what only a server's session can show.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { SqlCall } from '../../src/database/call.ts';
import type { LinkLoss } from '../../src/database/session-link.ts';
import { parseConnectionString } from '../../src/database/server/connection-string.ts';
import { requestCancel } from '../../src/database/server/cancel-request.ts';
import { openLink } from '../../src/database/server/open-link.ts';
import type { ServerLink } from '../../src/database/server/server-link.ts';
import { Session } from '../../src/database/session.ts';
import { startPostgres, testedPostgres, type TestPostgres } from '../support/postgres.ts';
import { grouped } from './group-suite.ts';
import { call, statement, type SuiteSubject } from './session-subject.ts';
import { sessionSuite } from './session-suite.ts';

interface Opened extends SuiteSubject {
  readonly session: Session;
  readonly link: ServerLink;
  readonly notifications: [string, string][];
  readonly lost: Promise<{ loss: LinkLoss; unsent: SqlCall[] }>;
}

async function open(server: TestPostgres, user = 'postgres', env = {}): Promise<Opened> {
  const { link } = await openLink(
    parseConnectionString(`host=${server.socketDir} user=${user} dbname=postgres`, env),
  );
  const notifications: [string, string][] = [];
  const { promise: lost, resolve } = Promise.withResolvers<{ loss: LinkLoss; unsent: SqlCall[] }>();
  const session = new Session(
    link,
    {
      notice: () => undefined,
      notification: (channel, payload) => notifications.push([channel, payload]),
      progressed: () => undefined,
      lost: (loss, unsent) => resolve({ loss, unsent }),
    },
    ['suite_kept'],
  );
  return {
    session,
    link,
    notifications,
    lost,
    dispatcher: { dispatch: (made) => session.call(made) },
    exec: (text) => session.exec(text),
    query: async (text) => (await session.query(text, []))[0] ?? { fields: [], rows: [], tag: '' },
  };
}

const installed = testedPostgres();

for (const postgres of installed) {
  describe(`PostgreSQL ${postgres.version}`, () => {
    let server: TestPostgres;
    let subject: Opened;

    before(async () => {
      server = await startPostgres(postgres);
      subject = await open(server);
    });
    after(async () => {
      subject.link.close('the tests are over');
      await subject.lost;
      await server.stop();
    });

    sessionSuite(`a socket to PostgreSQL ${postgres.version}`, () => subject, { resetsReads: true });

    it('hears what it listens to, also after a call that said UNLISTEN and was reset', async () => {
      await subject.exec('listen suite_kept');
      await call(subject.dispatcher, 'unlisten *', [], { resetAfter: true });
      await call(subject.dispatcher, "select pg_notify('suite_kept', 'once')");
      // Older servers send a notification of one's own after ReadyForQuery.
      while (subject.notifications.length === 0) await subject.query('select 1');
      assert.deepEqual(subject.notifications, [['suite_kept', 'once']]);
    });

    it('says of calls that shared a statement, which was cancelled, that it may have been another of them', async () => {
      const sleeps = grouped('$1 || pg_sleep($1::float)::text', 1);
      const ask = (seconds: string) =>
        call(subject.dispatcher, sleeps.text, [seconds], {
          interruptible: true,
          statement: { ...statement(sleeps.text), grouped: sleeps.grouped },
        });
      const state = { over: false };
      const results = Promise.all(['0', '600', '0'].map(ask)).finally(() => (state.over = true));
      // A request may come before there is something to be cancelled.
      while (!state.over) await requestCancel(subject.link.backend).catch(() => undefined);
      for (const result of await results) {
        assert.equal(result.kind, 'failed');
        assert.deepEqual(result.kind === 'failed' && [result.error.code, result.shared], ['57014', true]);
      }
    });

    it('loses the call that runs in a session that the server ends, and gives those behind it back', async () => {
      const other = await open(server);
      const waits = call(other.dispatcher, 'select pg_sleep(600)::text');
      void call(other.dispatcher, 'select 2');
      const backend = `select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep(600)%'`;
      // The sleeping call's backend shows up as soon as it runs.
      for (let ended = false; !ended;) ended = (await subject.query(backend)).rows.length > 0;
      const { unsent } = await other.lost;
      assert.equal((await waits).kind, 'lost');
      // PostgreSQL said that it ends before it came to them.
      assert.deepEqual(
        unsent.map(({ statement: { text } }) => text),
        ['select 2'],
      );
      assert.equal((await call(other.dispatcher, 'select 1')).kind, 'lost');
      await assert.rejects(other.exec('select 1'), /gone/);
    });

    it('logs in with a password, by SCRAM and by MD5, and says so where there is none', async () => {
      await subject.exec(`
        create role scrammed login password 'p ss';
        set password_encryption = 'md5'; create role digested login password 'digest'`);
      await subject.exec('reset password_encryption');
      const { rows } = await subject.query("select current_setting('hba_file')");
      const rules = ['local all scrammed scram-sha-256', 'local all digested md5', 'local all all trust'];
      writeFileSync(rows[0]?.[0] ?? '', rules.join('\n'));
      await subject.exec('select pg_reload_conf()');
      for (const [user, password] of [
        ['scrammed', 'p ss'],
        ['digested', 'digest'],
      ] as const) {
        // The rules are in force a moment after the reload was asked for.
        let refusal = '';
        while (refusal === '') {
          refusal = await open(server, user).then(
            (opened) => {
              opened.link.end();
              return '';
            },
            (error: unknown) => String(error),
          );
        }
        assert.match(refusal, /asks for a password/);
        await assert.rejects(open(server, user, { PGPASSWORD: 'wrong' }), /password authentication failed/);
        const other = await open(server, user, { PGPASSWORD: password });
        assert.deepEqual((await other.query('select current_user')).rows, [[user]]);
        other.link.end();
        assert.equal((await other.lost).unsent.length, 0);
      }
    });

    it('takes the first host of several that is what is wanted', async () => {
      const place = async (attributes: string): Promise<string> => {
        const text = `host=/nowhere,${server.socketDir} user=postgres target_session_attrs=${attributes}`;
        const opened = await openLink(parseConnectionString(text, {}));
        opened.link.end();
        return opened.place;
      };
      assert.equal(await place('read-write'), `${server.socketDir}:5432/postgres`);
      assert.equal(await place('primary'), `${server.socketDir}:5432/postgres`);
      await assert.rejects(place('standby'), /nowhere:5432\/postgres: .*ENOENT.*; .*: not standby/);
      await assert.rejects(place('read-only'), /not read-only/);
    });

    it('gives a link up that breaks the protocol', async () => {
      const other = await open(server);
      const waits = call(other.dispatcher, 'select pg_sleep(600)::text');
      other.session.receive(Buffer.from([0x44, 0, 0, 0, 1]));
      assert.match((await other.lost).loss.reason, /length 1/);
      assert.equal((await waits).kind, 'lost');
    });
  });
}

it(
  'there is a server to test sessions over',
  { skip: installed.length === 0 && 'no PostgreSQL is installed' },
  () => {
    assert.ok(installed.length > 0);
  },
);
