// From HTTP/1.1 in clear to HTTP/2 by `Upgrade: h2c` (RFC 7540 §3.2), as raw bytes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';
import { get, startHttp, statusOf, type RawClient } from '../support/http-fixture.ts';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const EMPTY_SETTINGS = '\0\0\0\x04\0\0\0\0\0';
/** INITIAL_WINDOW_SIZE 65535 */
const SETTINGS = Buffer.from([0, 4, 0, 0, 0xff, 0xff]).toString('base64url');
const CONNECTION = 'connection: Upgrade, HTTP2-Settings\r\n';
const upgrading = (settings = SETTINGS): string =>
  `${CONNECTION}upgrade: h2c\r\nhttp2-settings: ${settings}\r\n`;

const DATA = 0;
const HEADERS = 1;
const GOAWAY = 7;

interface Frame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

function framesOf(text: string): Frame[] {
  const bytes = Buffer.from(text.slice(SWITCHED.length), 'latin1');
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    const payload = bytes.subarray(at + 9, at + 9 + length);
    frames.push({ type: bytes.readUInt8(at + 3), stream: bytes.readUInt32BE(at + 5), payload });
    at += 9 + length;
  }
  return frames;
}

const untilFrame = (client: RawClient, type: number): Promise<string> =>
  client.until((text) => framesOf(text).some((frame) => frame.type === type));

const heads: Exchange['head'][] = [];
const answer = (exchange: Exchange): void => {
  heads.push(exchange.head);
  exchange.respond({ status: 200, fields: [], body: `${exchange.head.method} ${exchange.head.path}` });
};

test('the request that asks is answered 101, and then on stream 1 (RFC 7540 §3.2)', async () => {
  await using http = await startHttp(answer);
  const client = await http.connect();
  client.send(get('/one', `${upgrading()}x-kept: 1\r\n`));
  const text = await untilFrame(client, DATA);
  assert.ok(text.startsWith(SWITCHED));
  const frames = framesOf(text);
  assert.equal(frames[0]?.type, 4, 'the preface of the server is first (RFC 9113 §3.4)');
  assert.deepEqual(
    frames.filter(({ type }) => type <= HEADERS).map(({ type, stream }) => [type, stream]),
    [
      [HEADERS, 1],
      [DATA, 1],
    ],
  );
  assert.equal(frames.find(({ type }) => type === DATA)?.payload.toString(), 'GET /one');
  // The fields that asked are spent.
  assert.deepEqual(heads.at(-1)?.fields, ['host', 'h', 'x-kept', '1']);
  client.send(PREFACE + EMPTY_SETTINGS);
  // A PING, to see that the connection goes on as HTTP/2.
  client.send(Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
  await untilFrame(client, 6);
  assert.equal(http.server.connections, 1);
});

test('the preface may follow at once, and later requests are streams 3 and on', async () => {
  await using http = await startHttp(answer);
  const client = await http.connect();
  // :method GET, :path /, :scheme http, :authority h
  const block = '\x82\x84\x86\x41\x01h';
  client.send(get('/one', upgrading()) + PREFACE + EMPTY_SETTINGS);
  client.send(`\0\0${String.fromCharCode(block.length)}\x01\x05\0\0\0\x03${block}`);
  await client.until((text) => framesOf(text).filter(({ type }) => type === DATA).length === 2);
  assert.deepEqual(
    framesOf(client.text).flatMap(({ type, stream, payload }) =>
      type === DATA ? [[stream, String(payload)]] : [],
    ),
    [
      [1, 'GET /one'],
      [3, 'GET /'],
    ],
  );
});

test('the settings that come along hold: a window of 3 octets', async () => {
  await using http = await startHttp(answer);
  const client = await http.connect();
  client.send(get('/one', upgrading(Buffer.from([0, 4, 0, 0, 0, 3]).toString('base64url'))));
  const text = await untilFrame(client, DATA);
  assert.equal(String(framesOf(text).find(({ type }) => type === DATA)?.payload), 'GET');
});

test('an answer to HEAD has no body on stream 1', async () => {
  await using http = await startHttp(answer);
  const client = await http.connect();
  client.send(get('/one', upgrading()).replace('GET', 'HEAD'));
  const text = await untilFrame(client, HEADERS);
  assert.equal(framesOf(text).find(({ type }) => type === HEADERS)?.payload.length !== 0, true);
  assert.equal(
    framesOf(text).some(({ type }) => type === DATA),
    false,
  );
});

test('an upgrade after an ordinary request is one too', async () => {
  await using http = await startHttp(answer);
  const client = await http.connect();
  client.send(get('/first'));
  await client.untilText('GET /first');
  client.text = '';
  client.send(get('/second', upgrading()));
  assert.ok((await untilFrame(client, DATA)).startsWith(SWITCHED));
});

test('what does not ask for it as it must is an ordinary request (RFC 7540 §3.2.1)', async () => {
  await using http = await startHttp(answer);
  const cases = [
    ['no settings', `${CONNECTION}upgrade: h2c\r\n`],
    ['two of them', `${upgrading()}http2-settings: ${SETTINGS}\r\n`],
    ['settings not named in Connection', upgrading().replace(', HTTP2-Settings', '')],
    ['not base64url', upgrading('AAQ+/w')],
    ['no whole setting', upgrading('AAQA')],
    ['another protocol', upgrading().replace('h2c', 'h2')],
    ['Upgrade not named in Connection', upgrading().replace('Upgrade, ', '')],
    ['connection: close', `connection: close\r\n`],
  ] as const;
  for (const [name, fields] of cases) {
    const client = await http.connect();
    client.send(get('/plain', fields));
    assert.equal(statusOf(await client.untilText('GET /plain')), 200, name);
  }
  const old = await http.connect();
  old.send(get('/plain', upgrading()).replace('HTTP/1.1', 'HTTP/1.0'));
  assert.equal(statusOf(await old.untilText('GET /plain')), 200);
  const posting = await http.connect();
  posting.send(`POST /plain HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n${upgrading()}\r\nok`);
  assert.equal(statusOf(await posting.untilText('POST /plain')), 200);
});

test('settings with a bad value end the connection with GOAWAY', async () => {
  await using http = await startHttp(answer);
  const client = await http.connect();
  client.send(get('/one', upgrading(Buffer.from([0, 2, 0, 0, 0, 7]).toString('base64url'))));
  await client.untilEnd();
  const goaway = framesOf(client.text).find(({ type }) => type === GOAWAY);
  assert.equal(goaway?.payload.readUInt32BE(4), constants.NGHTTP2_PROTOCOL_ERROR);
});

test('over TLS there is ALPN, and no upgrade', async () => {
  const authority = await makeAuthority('a');
  const parsed = parseCertificate({ ...(await signCertificate(authority, 'h')), hostNames: [] });
  await using http = await startHttp(answer, {
    listener: { tls: { certificates: new CertificateSet([parsed]) } },
  });
  const socket = connectTls({ port: http.port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.write(get('/plain', upgrading()));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  assert.equal(statusOf(chunk.toString('latin1')), 200);
  socket.destroy();
  const session = connectHttp2(`https://127.0.0.1:${http.port}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/two' });
  const [fields] = (await once(stream, 'response')) as [{ ':status': number }];
  assert.equal(fields[':status'], 200);
  session.destroy();
});
