// Plain text with howdah's engine and a handler in TypeScript: the connection driver, the stream handlers and the request
// handler that every route goes through. Without a log of requests, as its peers have none.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpServer } from '../../src/server/http-server.ts';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import { Listener } from '../../src/transport/listener.ts';
import type { WholeResponse } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { announceReady, benchPort } from './announce.ts';

const LISTENER_ID = 1;
const DRAIN_MS = 1000;
const BODY = 'Hello, World!';
const MAX_BODY_BYTES = 1_000_000;
const FIELDS = ['content-type', 'text/plain; charset=utf-8'];

const observer = { observe: () => undefined };
const server = new HttpServer(
  {
    handlers: [
      requestHandler((exchange) => {
        if (exchange.head.method === 'POST') {
          exchange.collectBody(MAX_BODY_BYTES, (body) =>
            exchange.respond({ status: 200, fields: FIELDS, body }),
          );
          return;
        }
        const response: WholeResponse = { status: 200, fields: FIELDS, body: BODY };
        exchange.respond(response);
      }),
    ],
    observer,
    observeRequests: false,
  },
  // Its peers do not close a connection after a number of requests.
  { maxKeepalive: Infinity },
);
const directory = process.env['BENCH_TLS'];
const read = (name: string): string => readFileSync(join(directory ?? '', name), 'latin1');
const certificate = (): CertificateSet => {
  const texts = { certificate: read('certificate.pem'), privateKey: read('key.pem') };
  return new CertificateSet([parseCertificate({ ...texts, hostNames: [] })]);
};
const tls = directory === undefined ? {} : { tls: { certificates: certificate() } };
const listener = await Listener.open(
  { address: '127.0.0.1', port: benchPort(), ...tls },
  (socket) => server.accept(socket, LISTENER_ID),
  observer,
);
announceReady(async () => {
  await listener.suspend();
  await server.drain(DRAIN_MS);
});
