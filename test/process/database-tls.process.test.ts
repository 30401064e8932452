// howdah on a PostgreSQL server over TLS: what is checked of it, and what it checks.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
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
        'pg_hba.conf': 'local all all trust\nhostssl all all 127.0.0.1/32 cert\n',
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
    const install = async (database: string): Promise<string> => {
      const { code, err } = await runHowdah(['install', '--database', database], { cwd: directory.path });
      assert.notEqual(code, 0, err);
      return err;
    };
    assert.match(await install(url(own(), '127.0.0.1')), /127\.0\.0\.1/);
    assert.match(await install(url(own()).replace('root.crt', 'other.crt')), /certificate/);
    assert.match(await install(url('')), /certificate/);
  });
});
