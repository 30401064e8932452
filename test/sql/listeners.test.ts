// Listeners, and asking for and waiting for reloads of the configuration (omni_httpd.md §2, §3, §5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, one, value } from './databases.ts';

const RELOADS = 'select count(*)::int from omni_httpd.configuration_reloads';

onEachDatabase((database) => {
  test('a listener has the documented defaults (§2)', async () => {
    await database().exec('insert into omni_httpd.listeners default values');
    const row = await one(
      database(),
      'select host(address) as address, port::int, effective_port::int, protocol::text from omni_httpd.listeners',
    );
    assert.deepEqual(row, { address: '127.0.0.1', port: 80, effective_port: 0, protocol: 'http' });
    await database().exec('delete from omni_httpd.listeners');
  });

  test('a port is one of 0 to 65535 (§1)', async () => {
    await assert.rejects(
      database().exec('insert into omni_httpd.listeners (port) values (65536)'),
      /port_check/,
    );
    await assert.rejects(
      database().exec('insert into omni_httpd.listeners (port) values (-1)'),
      /port_check/,
    );
  });

  test('each statement on listeners notifies once, also for no rows, and not for the own write of the server (§5.2)', async () => {
    const payloads = await database().listen('omni_httpd_configuration');
    const notified = async (sql: string): Promise<readonly string[]> => {
      const before = payloads.length;
      await database().exec(sql);
      await database().exec('select 1');
      return payloads.slice(before);
    };
    assert.deepEqual(await notified('insert into omni_httpd.listeners (port) values (0)'), ['']);
    assert.deepEqual(await notified('update omni_httpd.listeners set port = 0 where false'), ['']);
    const own =
      "begin; set local howdah.server_write = 'on'; update omni_httpd.listeners set effective_port = 1; commit";
    assert.deepEqual(await notified(own), []);
    assert.deepEqual(await notified('begin; delete from omni_httpd.listeners; rollback'), []);
    assert.deepEqual(await notified('delete from omni_httpd.listeners'), ['']);
    assert.deepEqual(await notified('select omni_httpd.reload_configuration()'), ['']);
    assert.equal(await value(database(), 'select omni_httpd.reload_configuration()'), true);
    await database().exec('unlisten *');
  });

  test('waiting takes exactly the given number of reloads, oldest first (§3)', async () => {
    await database().exec(`
      delete from omni_httpd.configuration_reloads;
      insert into omni_httpd.configuration_reloads (happened_at)
        values ('2020-01-03'), ('2020-01-01'), ('2020-01-02'), ('2020-01-02');
      call omni_httpd.wait_for_configuration_reloads(2);`);
    const left = await database().query(
      'select happened_at::date::text as day from omni_httpd.configuration_reloads order by 1',
    );
    assert.deepEqual(left, [{ day: '2020-01-02' }, { day: '2020-01-03' }]);
    await database().exec('call omni_httpd.wait_for_configuration_reloads(0)');
    assert.equal(await value(database(), RELOADS), 2);
    await database().exec('delete from omni_httpd.configuration_reloads');
  });

  test('waiting goes on until another session has recorded the reload', async (t) => {
    if (database().kind === 'embedded') return t.skip('the embedded engine is one session');
    const other = await database().connect();
    let over = false;
    const wait = other.exec('call omni_httpd.wait_for_configuration_reloads(2)').then(() => {
      over = true;
    });
    await database().query('select howdah.record_reload(false)');
    assert.equal(over, false);
    await database().query('select howdah.record_reload(true)');
    await wait;
    assert.equal(await value(database(), RELOADS), 0);
    await other.close();
  });

  test('on the embedded engine the transaction that asks records the reload, once', async () => {
    await database().exec("set howdah.embedded = 'on'");
    await database().exec(
      'begin; insert into omni_httpd.listeners (port) values (0); select omni_httpd.reload_configuration(); commit',
    );
    assert.equal(await value(database(), RELOADS), 1);
    // what the server does for that notification, and for its first load
    await database().query('select howdah.record_reload(true)');
    assert.equal(await value(database(), RELOADS), 1);
    await database().query('select howdah.record_reload(false)');
    assert.equal(await value(database(), RELOADS), 2);
    await database().exec('call omni_httpd.wait_for_configuration_reloads(2)');
    await assert.rejects(
      database().exec('call omni_httpd.wait_for_configuration_reloads(1)'),
      /no reload of the configuration is under way/,
    );
    await database().exec('begin; select omni_httpd.reload_configuration(); rollback');
    assert.equal(await value(database(), RELOADS), 0);
    await database().exec('reset howdah.embedded; delete from omni_httpd.listeners');
  });
});
