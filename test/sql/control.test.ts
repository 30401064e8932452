// omni_httpd.stop() and omni_httpd.start(): what the server reads of them (omni_httpd.md §5.4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, value, type TestSession } from './databases.ts';

onEachDatabase((database) => {
  const stopped = async (session: TestSession = database()): Promise<unknown> =>
    value(session, "select howdah.is_stopped('2000-01-01')");

  test('a new database is served', async () => {
    assert.equal(await stopped(), false);
    await database().exec('call omni_httpd.start()');
    assert.equal(await stopped(), false);
  });

  test('stop and start take effect when the transaction commits, and say so then', async () => {
    const told = await database().listen('howdah_serving');
    await database().exec('call omni_httpd.stop(); call omni_httpd.stop()');
    assert.equal(await stopped(), true);
    assert.deepEqual(told, ['']);
    await database().exec('begin; call omni_httpd.start(); rollback');
    assert.equal(await stopped(), true);
    await database().exec('call omni_httpd.start(null)');
    assert.equal(await stopped(), false);
    await database().exec('call omni_httpd.stop(); call omni_httpd.start()');
    assert.equal(await stopped(), false);
    await database().exec('unlisten *');
  });

  test('immediate takes effect from inside the transaction, also where that is rolled back', async () => {
    await database().exec('begin; call omni_httpd.stop(immediate => true)');
    if (database().kind !== 'embedded') {
      const other = await database().connect();
      assert.equal(await stopped(other), true);
      await database().exec('call omni_httpd.start(immediate => true)');
      assert.equal(await stopped(other), false);
      await database().exec('call omni_httpd.stop(immediate => true)');
      await other.close();
    }
    await database().exec('rollback');
    assert.equal(await stopped(), true);
    await database().exec('call omni_httpd.start(true)');
    assert.equal(await stopped(), false);
  });

  test('transactions that stop do not wait for one another', async (t) => {
    if (database().kind === 'embedded') return t.skip('the embedded engine is one session');
    const other = await database().connect();
    await other.exec('begin; call omni_httpd.stop()');
    await database().exec('call omni_httpd.stop()');
    assert.equal(await stopped(), true);
    await database().exec('call omni_httpd.start()');
    await other.exec('rollback');
    await other.close();
    assert.equal(await stopped(), false);
  });

  test('a stop before the moment that is given does not count, as one before PostgreSQL was started', async () => {
    await database().exec('call omni_httpd.stop()');
    assert.equal(await value(database(), "select howdah.is_stopped(now() - interval '1 hour')"), true);
    assert.equal(await value(database(), "select howdah.is_stopped(now() + interval '1 hour')"), false);
    if (database().kind !== 'embedded')
      assert.equal(await value(database(), 'select howdah.is_stopped()'), true);
    await database().exec('call omni_httpd.start()');
  });

  test('a database that is copied from a stopped one is not stopped', async () => {
    await database().exec('call omni_httpd.stop(); call omni_httpd.stop(immediate => true)');
    const copied = Number(
      await value(
        database(),
        'select oid::bigint from pg_database where datname <> current_database() limit 1',
      ),
    );
    const here = Number(
      await value(database(), 'select oid::bigint from pg_database where datname = current_database()'),
    );
    await database().exec(`
      update howdah.control_requests set moment = moment - ${here % 65536} + ${copied % 65536};
      select setval('howdah.stopped_at', last_value - ${here % 65536} + ${copied % 65536}) from howdah.stopped_at`);
    assert.equal(await stopped(), false);
  });

  test('who may use the schema may stop the server, without rights to what it is kept in', async () => {
    const role = `plain_${database().kind}`;
    const admin = database().kind === 'owner' ? await database().administer() : null;
    await (admin ?? database()).exec(`create role ${role}${admin === null ? '' : ` role owner`}`);
    await admin?.close();
    await database().exec(`
      grant usage on schema omni_httpd, howdah to ${role};
      set role ${role}; call omni_httpd.stop(); call omni_httpd.stop(true); reset role;`);
    assert.equal(await stopped(), true);
  });
});
