// Whether a client still takes what it is sent, over real sockets, by a clock that the test moves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { queuedBytes, SendProgress } from '../../src/server/send-progress.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';

/** More than the buffers of the system hold. */
const PART_BYTES = 12_000_000;
const PARTS = 4;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function inClear(): Promise<[server: Server, accepted: Socket, client: Socket]> {
  const server = createServer();
  const client = connect({ port: await listening(server), host: '127.0.0.1' });
  const [accepted] = (await once(server, 'connection')) as [Socket];
  return [server, accepted, client];
}

async function overTls(): Promise<[server: Server, accepted: Socket, client: Socket]> {
  const authority = await makeAuthority('test authority');
  const { certificate, privateKey } = await signCertificate(authority, 'a.test');
  const server = createTlsServer({ cert: certificate, key: privateKey });
  const port = await listening(server);
  const client = connectTls({
    port,
    host: '127.0.0.1',
    ca: authority.certificate,
    servername: 'a.test',
  });
  const [accepted] = (await once(server, 'secureConnection')) as [Socket];
  return [server, accepted, client];
}

for (const [how, open] of [
  ['in clear', inClear],
  ['over TLS', overTls],
] as const) {
  test(`progress is seen within a single write, and that there is none, ${how}`, async (context) => {
    const [server, accepted, client] = await open();
    context.after(() => {
      client.destroy();
      accepted.destroy();
      server.close();
    });
    const progress = new SendProgress();
    accepted.write(Buffer.alloc(PART_BYTES * PARTS));
    let received = 0;
    let wanted = 0;
    let arrived = (): void => undefined;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < wanted) return;
      client.pause();
      arrived();
    });
    const reached = (bytes: number): Promise<void> =>
      new Promise((resolve) => {
        wanted = bytes;
        arrived = resolve;
        client.resume();
      });
    for (let part = 1; part < PARTS; part += 1) {
      await reached(part * PART_BYTES);
      assert.ok(accepted.writableLength > 0 && queuedBytes(accepted) > 0);
      assert.equal(progress.stalled(accepted, part * 1000, 500), false);
    }
    // What the system still takes for itself ends at some time.
    for (let left = -1; left !== queuedBytes(accepted);) {
      left = queuedBytes(accepted);
      for (let i = 0; i < 20_000; i += 1) await new Promise(setImmediate);
    }
    // It may have been over before.
    progress.reset();
    assert.equal(progress.stalled(accepted, PARTS * 1000, 500), false);
    assert.equal(progress.stalled(accepted, PARTS * 1000 + 500, 500), false);
    assert.equal(progress.stalled(accepted, PARTS * 1000 + 501, 500), true);
  });
}
