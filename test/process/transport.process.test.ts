// `howdah serve` behind proxies and on UNIX sockets, from outside: in one process, and with worker processes on a server.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runHowdah, startServe, temporaryDirectory } from '../cli/howdah-process.ts';
import { availablePostgres } from '../support/postgres.ts';
import { startFleet } from './fleet-fixture.ts';

const skip = availablePostgres().length === 0 && 'no PostgreSQL is installed';

const PEER = `
create function peer(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql as
  $$ select omni_httpd.http_response('[' || coalesce(omni_http.http_header_get(request.headers, 'omnigres-connecting-ip'), '') || ']') $$;
insert into omni_httpd.urlpattern_router (match, handler) values (omni_httpd.urlpattern('/peer'), 'peer'::regproc);
`;
const GET = 'GET /peer HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';

/** Everything that is answered to a text. */
async function said(to: NetConnectOpts, text: string): Promise<string> {
  const socket = connect(to);
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('howdah serve --unix-listen --proxy-from', () => {
  it('serves on the socket, believes who is allowed to, and removes the socket at its end', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'h.sock');
    const args = ['--memory', '--unix-listen', 'h.sock', '--proxy-from', 'unix'];
    await using server = await startServe(args, { cwd: directory.path });
    await server.process.prints(/^unix:\S+h\.sock$/m);
    const sql = await runHowdah(['sql', '--url', String(server.gatewayUrl), '-c', PEER], {
      cwd: directory.path,
    });
    assert.equal(sql.code, 0, sql.err);
    assert.match(await said({ path }, LINE + GET), /\[192\.0\.2\.7\]$/);
    assert.match(await said({ path }, `PROXY UNKNOWN\r\n${GET}`), /\[Unknown\]$/);
    assert.equal(await said({ path }, GET), '');
    const port = Number(new URL(server.url).port);
    assert.match(await said({ port }, GET), /\[127\.0\.0\.1\]$/);
    assert.match(await said({ port }, LINE + GET), /^HTTP\/1\.1 400 /);
    server.process.child.kill('SIGTERM');
    assert.equal((await server.process.ended()).code, 0);
    assert.equal(existsSync(path), false);
  });

  it('a socket that another server listens on is an error', async () => {
    using directory = temporaryDirectory();
    const args = ['--memory', '--unix-listen', 'h.sock'];
    await using _server = await startServe(args, { cwd: directory.path });
    const second = await runHowdah(['serve', '--listen', '0', '--pg-listen', 'off', ...args], {
      cwd: directory.path,
    });
    assert.notEqual(second.code, 0);
    assert.match(second.err, /cannot listen: unix:\S+h\.sock/);
  });

  it('serves on the socket with each worker process of a fleet', { skip, timeout: 180_000 }, async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'h.sock');
    const args = '--workers 2 --sessions 2 --proxy-from unix,127.0.0.0/8 --unix-listen'.split(' ');
    await using fleet = await startFleet([...args, path]);
    const ask = (to: NetConnectOpts): Promise<string> => said(to, LINE + GET);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ path })));
    for (const answer of answers) assert.match(answer, /192\.0\.2\.7$/);
    assert.match(await ask({ port: fleet.port }), /192\.0\.2\.7$/);
    fleet.served.process.child.kill('SIGTERM');
    assert.equal((await fleet.served.process.ended()).code, 0);
    assert.equal(existsSync(path), false);
  });
});
