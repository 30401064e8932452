// Plain text, JSON and bodies sent back, with howdah's engine and a handler in TypeScript: the connection driver, the stream handlers and the request
// handler that every route goes through. Without a log of requests, as its peers have none.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpServer } from '../../src/server/http-server.ts';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import { Listener } from '../../src/transport/listener.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';
import { announceReady, benchPort } from './announce.ts';
import { JSON_TYPE, jsonValue, MAX_BODY_BYTES, TEXT, TEXT_TYPE } from './answers.ts';

const LISTENER_ID = 1;
const DRAIN_MS = 1000;
const TEXT_FIELDS = ['content-type', TEXT_TYPE];
const JSON_FIELDS = ['content-type', JSON_TYPE];

/** Requests for /hold: in flight until their clients leave. */
const held = new Set<Exchange>();

function answer(exchange: Exchange): void {
  const { method, path } = exchange.head;
  if (method === 'POST') {
    exchange.collectBody(MAX_BODY_BYTES, (body) =>
      exchange.respond({ status: 200, fields: TEXT_FIELDS, body }),
    );
  } else if (path === '/') {
    exchange.respond({ status: 200, fields: TEXT_FIELDS, body: TEXT });
  } else if (path === '/json') {
    exchange.respond({ status: 200, fields: JSON_FIELDS, body: JSON.stringify(jsonValue()) });
  } else if (path === '/hold') {
    held.add(exchange);
    exchange.onClose(() => held.delete(exchange));
  } else {
    exchange.respond({ status: 200, fields: TEXT_FIELDS, body: String(held.size) });
  }
}

const observer = { observe: () => undefined };
const server = new HttpServer(
  {
    handlers: [requestHandler(answer)],
    observer,
    observeRequests: false,
  },
  // Its peers do not close a connection after a number of requests, nor those that do nothing while memory is read.
  { maxKeepalive: Infinity, idleTimeoutMs: 600_000 },
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
