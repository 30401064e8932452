// `howdah doctor` from outside: what it finds on a PostgreSQL server, as roles with more and fewer rights, and that its SQL mends it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import type { Finding } from '../../src/database/server/examination.ts';
import { runHowdah, temporaryDirectory } from '../cli/howdah-process.ts';
import { startPostgres, testedPostgres, type TestPostgres } from '../support/postgres.ts';

const [postgres] = testedPostgres();

describe('howdah doctor', { skip: postgres === undefined && 'no PostgreSQL is installed' }, () => {
  const directory = temporaryDirectory();
  let server: TestPostgres;
  let admin: Client;

  const urlOf = (role: string): string =>
    `postgres://${role}@/app?host=${encodeURIComponent(server.socketDir)}`;
  const howdah = (role: string, command: string, ...options: string[]) =>
    runHowdah([command, '--database', urlOf(role), ...options], { cwd: directory.path });
  const examine = async (role: string, ...options: string[]) => {
    const { code, out } = await howdah(role, 'doctor', '--json', ...options);
    const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
    assert.equal(ok, code === 0);
    return { code, of: (check: string) => findings.find((finding) => finding.check === check) };
  };

  before(async () => {
    server = await startPostgres(postgres);
    admin = new Client({ host: server.socketDir, user: 'postgres', database: 'postgres' });
    await admin.connect();
    await admin.query('create role owner login; create role guest login');
    await admin.query('create database app owner owner');
    await admin.end();
    admin = new Client({ host: server.socketDir, user: 'postgres', database: 'app' });
    await admin.connect();
  });
  after(async () => {
    await admin?.end();
    await server?.stop();
    directory[Symbol.dispose]();
  });

  it('tells an owner that the schema is to be installed, and a guest that it may not', async () => {
    const owner = await examine('owner');
    assert.equal(owner.code, 0);
    assert.equal(owner.of('schema')?.state, 'warning');
    assert.equal(owner.of('pooler')?.state, 'ok');
    const guest = await examine('guest');
    assert.equal(guest.code, 1);
    assert.equal(guest.of('schema')?.remedy, 'grant create on database "app" to "guest";');
  });

  it('finds nothing in the way of an owner with the schema, but the event trigger that only others may make', async () => {
    assert.equal((await howdah('owner', 'install')).code, 0);
    const { code, of } = await examine('owner');
    assert.equal(code, 0);
    assert.equal(of('schema')?.state, 'ok');
    assert.equal(of('grants')?.state, 'ok');
    assert.equal(of('event trigger')?.state, 'warning');
    const { out } = await howdah('owner', 'doctor');
    assert.match(out, /^ok +version: PostgreSQL \d+/m);
    assert.match(out, /^warning +event trigger: .*\n +→ /m);
  });

  it('gives a guest the SQL that lets it serve, piece by piece', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { code, of } = await examine('guest');
      if (code === 0) break;
      const remedies = ['schema', 'grants'].flatMap((check) => of(check)?.remedy ?? []);
      assert.notEqual(remedies.length, 0);
      await admin.query(remedies.join('\n'));
    }
    const { code, of } = await examine('guest');
    assert.equal(code, 0);
    assert.equal(of('grants')?.state, 'ok');
  });

  it('counts the room for sessions, and sees timeouts and read-only roles', async () => {
    assert.equal((await examine('owner', '--sessions', '500')).of('connections')?.state, 'warning');
    await admin.query('alter role owner connection limit 4');
    assert.match((await examine('owner')).of('connections')?.detail ?? '', /room for 4,/);
    await admin.query("alter role owner connection limit -1; alter role owner set statement_timeout = '3s'");
    assert.match((await examine('owner')).of('statement timeout')?.detail ?? '', /3000 ms/);
    await admin.query('alter role owner reset all; alter role owner set default_transaction_read_only = on');
    const { code, of } = await examine('owner');
    assert.equal(code, 1);
    assert.equal(of('writable')?.remedy, 'alter role "owner" set default_transaction_read_only = off;');
  });

  it('ends with 5 where the server cannot be reached', async () => {
    const { code, err } = await runHowdah(
      ['doctor', '--database', 'postgres://nobody@/app?host=/nonexistent'],
      {
        cwd: directory.path,
      },
    );
    assert.equal(code, 5);
    assert.match(err, /no connection to the database/);
  });
});
