// howdah on a PostgreSQL server over TLS: what is checked of it, and what it checks.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { runHowdah, startServe, temporaryDirectory } from '../cli/howdah-process.ts';
import { freePort } from '../support/free-port.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';
import { availablePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

const SCHEMA = `
create function tls(request omni_httpd.http_request) returns omni_httpd.http_outcome stable language plpgsql as $$ begin
  return omni_httpd.http_response(
    (select concat_ws(' ', ssl, client_dn, current_user) from pg_stat_ssl where pid = pg_backend_pid())); end $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/tls'), 'tls'::regproc);
`;

async function open(server: TestPostgres): Promise<Client> {
  const client = new Client({ host: server.socketDir, port: server.port, user: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** What `howdah doctor` says where it cannot connect. */
async function refusal(database: string): Promise<string> {
  const { code, err } = await runHowdah(['doctor', '--database', database], { cwd: tmpdir() });
  assert.notEqual(code, 0, err);
  return err;
}

describe('a server that asks for TLS and a certificate of the client', { skip, timeout: 120_000 }, () => {
  const directory = temporaryDirectory();
  const file = (name: string): string => join(directory.path, name);
  let server: TestPostgres;
  let port: number;
  const url = (more: string, host = 'localhost'): string =>
    `postgres://postgres@${host}:${port}/postgres?sslmode=verify-full&sslrootcert=${file('root.crt')}${more}`;
  const own = (): string => `&sslcert=${file('client.crt')}&sslkey=${file('client.key')}`;

  before(async () => {
    const authority = await makeAuthority('the authority of the database');
    const [ofServer, ofClient, other] = await Promise.all([
      signCertificate(authority, 'localhost'),
      signCertificate(authority, 'postgres'),
      makeAuthority('another authority'),
    ]);
    writeFileSync(file('root.crt'), authority.certificate);
    writeFileSync(file('other.crt'), other.certificate);
    writeFileSync(file('client.crt'), ofClient.certificate);
    writeFileSync(file('client.key'), ofClient.privateKey, { mode: 0o600 });
    port = await freePort();
    server = await startPostgres(undefined, {
      port,
      settings: ['listen_addresses=127.0.0.1', 'ssl=on', 'ssl_ca_file=root.crt'],
      files: {
        'server.crt': ofServer.certificate,
        'server.key': ofServer.privateKey,
        'root.crt': authority.certificate,
        'pg_hba.conf': [
          'local all all trust',
          'hostssl all bound 127.0.0.1/32 scram-sha-256',
          'hostssl all clear 127.0.0.1/32 password',
          'hostssl all all 127.0.0.1/32 cert\n',
        ].join('\n'),
      },
    });
  });
  after(async () => {
    await server?.stop();
    directory[Symbol.dispose]();
  });

  it('is served from with verify-full and the certificate, by all sessions', async () => {
    await using served = await startServe(['--database', url(own()), '--no-access-log', '--workers', '1'], {
      cwd: directory.path,
    });
    const sql = await open(server);
    await sql.query(SCHEMA);
    const { rows } = await sql.query<{ secure: boolean }>(
      "select bool_and(ssl) as secure from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'howdah'",
    );
    await sql.end();
    assert.equal(rows[0]?.secure, true);
    const response = await fetch(new URL('/tls', served.url));
    assert.equal(await response.text(), 't /CN=postgres postgres');
  });

  it('is refused where the name, the authority or the client certificate does not fit', async () => {
    assert.match(
      await refusal(url(own(), '127.0.0.1')),
      /127\.0\.0\.1:\d+\/postgres: the server's certificate is refused by sslmode=verify-full: .*127\.0\.0\.1.* not in .*$/m,
    );
    const untrusted = /refused by sslmode=verify-full: self-signed certificate in certificate chain/;
    assert.match(await refusal(url(own()).replace('root.crt', 'other.crt')), untrusted);
    const unnamed = url(own()).replace(/&sslrootcert=[^&]*/, '');
    assert.match(await refusal(unnamed), /self-signed .*; sslrootcert=FILE names the authority/);
    assert.match(await refusal(url('')), /localhost:\d+\/postgres: .*requires a valid client certificate/);
  });

  it('says what it heard with TLS and without, where it tried both', async () => {
    for (const mode of ['prefer', 'allow']) {
      const said = await refusal(`postgres://postgres@localhost:${port}/postgres?sslmode=${mode}`);
      assert.match(said, /client certificate \(with TLS\)/);
      assert.match(said, /no pg_hba\.conf entry .* \(without TLS\)/);
    }
  });

  it('is refused with channel_binding=require where the login is not bound: by a password in clear, or by none', async () => {
    const bound = '&channel_binding=require';
    assert.match(
      await refusal(url(own() + bound)),
      /channel_binding=require asks for a login by SCRAM-SHA-256-PLUS/,
    );
    const sql = await open(server);
    await sql.query(
      "create role bound login superuser password 'secret'; create role clear login password 'secret'",
    );
    await sql.end();
    const login = (role: string): string => url(bound).replace('postgres@', `${role}:secret@`);
    assert.match(await refusal(login('clear')), /SCRAM-SHA-256-PLUS, which the server does not offer/);
    const { code, out } = await runHowdah(['doctor', '--json', '--database', login('bound')], {
      cwd: directory.path,
    });
    assert.match(out, /"findings"/);
    assert.equal(code, 0);
  });
});

describe('a server without TLS', { skip, timeout: 120_000 }, () => {
  let server: TestPostgres;
  let port: number;
  const url = (more: string): string => `postgres://postgres@localhost:${port}/postgres?${more}`;

  before(async () => {
    port = await freePort();
    server = await startPostgres(undefined, { port, settings: ['listen_addresses=127.0.0.1'] });
  });
  after(() => server?.stop());

  it('is connected to with allow, prefer and disable, and without a word', async () => {
    for (const more of ['', 'sslmode=disable', 'sslmode=allow', 'sslmode=prefer', 'channel_binding=prefer']) {
      const { code, out } = await runHowdah(['doctor', '--json', '--database', url(more)], {
        cwd: tmpdir(),
      });
      assert.equal(code, 0, more);
      assert.match(out, /"ok": true/);
    }
  });

  it('is refused with what asks for TLS, with the host and the reason', async () => {
    const place = `localhost:${port}/postgres: the server has no TLS, and`;
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      assert.match(
        await refusal(url(`sslmode=${mode}`)),
        new RegExp(`${place} sslmode=${mode} asks for it$`, 'm'),
      );
    }
    const bound = await refusal(url('channel_binding=require'));
    assert.match(bound, new RegExp(`${place} channel_binding=require asks for it$`, 'm'));
    const { socketDir } = server;
    for (const [more, what] of [
      [`host=${socketDir}`, `the UNIX socket ${socketDir}`],
      ['sslmode=disable', 'sslmode=disable'],
    ] as const) {
      const said = await refusal(url(`${more}&channel_binding=require`));
      assert.match(said, new RegExp(`channel_binding=require asks for TLS, and ${what} is without$`, 'm'));
    }
  });

  it('says once what was wrong both times', async () => {
    const said = await refusal(url('').replace('postgres@', 'nobody@'));
    assert.equal(said.match(/role "nobody" does not exist/g)?.length, 1);
  });
});
