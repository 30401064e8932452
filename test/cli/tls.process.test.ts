// `howdah serve` with TLS, from outside: where certificates come from, how they change, and what is left when they fail.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import { makeAuthority, signCertificate, type TestCertificate } from '../support/certificates.ts';
import { runHowdah, startServe, temporaryDirectory, type Served } from './howdah-process.ts';

const authority = await makeAuthority('test authority');
const [one, two, client] = await Promise.all([
  signCertificate(authority, 'one.test'),
  signCertificate(authority, 'two.test'),
  signCertificate(authority, 'client'),
]);

async function httpsPort(served: Served): Promise<number> {
  const [, port] = await served.process.prints(/^https:\/\/127\.0\.0\.1:(\d+)/m);
  return Number(port);
}

/** The common name of the certificate for a name, and the status of an answer. */
async function seen(port: number, servername: string, more: object = {}): Promise<[string, string]> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...more });
  const closed = once(socket, 'close').then(() => Promise.reject(new Error('closed without an answer')));
  closed.catch(() => {});
  await Promise.race([once(socket, 'secureConnect'), closed]);
  const { subject } = socket.getPeerCertificate();
  socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  const [answer] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
  socket.destroy();
  return [String(subject.CN), answer.toString('latin1').slice('HTTP/1.1 '.length).slice(0, 3)];
}

function write(directory: string, name: string, { certificate, privateKey }: TestCertificate): string[] {
  writeFileSync(join(directory, `${name}.pem`), certificate);
  writeFileSync(join(directory, `${name}.key`), privateKey);
  return ['--tls-cert', `${name}.pem`, '--tls-key', `${name}.key`];
}

const ANY = ['--tls-listen', '127.0.0.1:0'];

describe('howdah serve with TLS', () => {
  test('--tls-dev makes a certificate for localhost and keeps it in the data directory', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, '.howdah/tls-dev/certificate-and-key.pem');
    let kept = '';
    for (let i = 0; i < 2; i += 1) {
      await using server = await startServe(['--tls-dev', ...ANY], { cwd: directory.path });
      const ca = readFileSync(path, 'latin1');
      if (kept !== '') assert.equal(ca, kept);
      kept = ca;
      assert.equal(statSync(path).mode & 0o077, 0);
      const trusting = { ca, rejectUnauthorized: true };
      const [name] = await seen(await httpsPort(server), 'localhost', trusting);
      assert.equal(name, 'howdah development');
      server.process.child.kill('SIGTERM');
      assert.equal((await server.process.ended()).code, 0);
    }
  });

  test('certificates come from files, read anew on SIGHUP, and from the table, as soon as it has them', async () => {
    using directory = temporaryDirectory();
    const args = ['--memory', ...ANY, ...write(directory.path, 'one', one)];
    await using server = await startServe(args, { cwd: directory.path });
    const port = await httpsPort(server);
    assert.equal((await seen(port, 'two.test'))[0], 'one.test');

    const insert = `insert into howdah.certificates (certificate, private_key_file)
      values ('${two.certificate}', '${join(directory.path, 'two.key')}')`;
    write(directory.path, 'two', two);
    const done = await runHowdah(['sql', '--url', String(server.gatewayUrl), '-c', insert], {
      cwd: directory.path,
    });
    assert.equal(done.code, 0, done.err);
    let name = '';
    while (name !== 'two.test') [name] = await seen(port, 'two.test');
    assert.equal((await seen(port, 'one.test'))[0], 'one.test');

    write(directory.path, 'one', two);
    server.process.child.kill('SIGHUP');
    while ((await seen(port, 'one.test'))[0] !== 'two.test');
    // Whoever breaks a file meanwhile changes nothing but the log.
    writeFileSync(join(directory.path, 'one.pem'), 'broken');
    server.process.child.kill('SIGHUP');
    await server.process.prints(/certificate of one\.pem: the certificate is not PEM/, 'err');
    assert.equal((await seen(port, 'two.test'))[0], 'two.test');
  });

  test('without a usable certificate the other listeners serve, with the reason in log and banner', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'no.pem'), 'no certificate');
    const args = ['--memory', '--tls-cert', 'no.pem', '--tls-key', 'no.pem'];
    await using server = await startServe(args, { cwd: directory.path });
    await server.process.prints(/^127\.0\.0\.1:8443 is not served: there is no usable certificate/m);
    await server.process.prints(/^certificate of no\.pem: the certificate is not PEM$/m);
    await server.process.prints(/cannot listen on 127\.0\.0\.1:8443: there is no usable certificate/, 'err');
    assert.ok((await fetch(server.url)).ok);
    // It begins to serve when there is one; on a port of its own, since others may use 8443.
    const insert = `update omni_httpd.listeners set port = 0 where protocol = 'https';
      insert into howdah.certificates (certificate, private_key)
      values ('${one.certificate}', '${one.privateKey}')`;
    await runHowdah(['sql', '--url', String(server.gatewayUrl), '-c', insert], { cwd: directory.path });
    const [, port] = await server.process.prints(/listening on https:\/\/127\.0\.0\.1:(\d+)/, 'err');
    assert.equal((await seen(Number(port), 'one.test'))[0], 'one.test');
  });

  test('--tls-listen is that address or an error', async () => {
    using directory = temporaryDirectory();
    await using server = await startServe(['--memory'], { cwd: directory.path });
    const { host } = new URL(server.url);
    const args = [
      'serve',
      '--memory',
      '--listen',
      '127.0.0.1:0',
      '--pg-listen',
      'off',
      '--tls-dev',
      '--tls-listen',
      host,
    ];
    const { code, err } = await runHowdah(args, { cwd: directory.path });
    assert.equal(code, 4);
    assert.match(err, /EADDRINUSE/);
  });

  test('--tls-client-ca requires a certificate of that authority', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'ca.pem'), authority.certificate);
    const files = write(directory.path, 'one', one);
    const args = ['--memory', ...ANY, ...files, '--tls-client-ca', 'ca.pem'];
    await using server = await startServe(args, { cwd: directory.path });
    const port = await httpsPort(server);
    const [name] = await seen(port, 'one.test', { cert: client.certificate, key: client.privateKey });
    assert.equal(name, 'one.test');
    await assert.rejects(seen(port, 'one.test'));

    // A handler in SQL sees it as a field, and not what the client claims.
    const whose = `create function whose(request omni_httpd.http_request) returns omni_httpd.http_outcome
        return omni_httpd.http_response((select string_agg(value, ' and ') from omni_http.http_header_get_all(request.headers, 'client-cert') as value));
      insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/whose'), 'whose'::regproc);`;
    const done = await runHowdah(['sql', '--url', String(server.gatewayUrl), '-c', whose], {
      cwd: directory.path,
    });
    assert.equal(done.code, 0, done.err);
    const credentials = { cert: client.certificate, key: client.privateKey, rejectUnauthorized: false };
    const asked = get({ port, path: '/whose', headers: { 'client-cert': ':bGll:' }, ...credentials });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const der = new X509Certificate(client.certificate).raw.toString('base64');
    assert.equal((await response.toArray()).join(''), `:${der}:`);
  });
});
