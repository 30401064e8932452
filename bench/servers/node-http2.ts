// Plain text, and bodies sent back, with node:http2 (its stream API, the faster one), or with node:https where BENCH_HTTP1 is
// set; over TLS where BENCH_TLS names a directory with a certificate.
import { readFileSync } from 'node:fs';
import { createSecureServer, createServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { announceReady, benchPort } from './announce.ts';

const BODY = 'Hello, World!';
const FIELDS = { 'content-type': 'text/plain; charset=utf-8' };

const directory = process.env['BENCH_TLS'];
const tls =
  directory === undefined
    ? null
    : {
        cert: readFileSync(join(directory, 'certificate.pem')),
        key: readFileSync(join(directory, 'key.pem')),
      };

/** Requests for /hold: in flight until their clients leave. */
const held = new Set<ServerHttp2Stream>();

interface Headers {
  readonly ':method'?: string;
  readonly ':path'?: string;
}

function answer(stream: ServerHttp2Stream, headers: Headers): void {
  stream.on('error', () => undefined);
  if (headers[':path'] === '/hold') {
    held.add(stream);
    stream.on('close', () => held.delete(stream));
    return;
  }
  if (headers[':method'] !== 'POST') {
    const body = headers[':path'] === '/held' ? String(held.size) : BODY;
    stream.respond({ ':status': 200, ...FIELDS, 'content-length': body.length });
    stream.end(body);
    return;
  }
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    // The load generator leaves in mid-request at its end.
    if (stream.destroyed || stream.closed) return;
    const body = Buffer.concat(chunks);
    stream.respond({ ':status': 200, ...FIELDS, 'content-length': body.length });
    stream.end(body);
  });
}

const ready = (): void => announceReady();
if (process.env['BENCH_HTTP1'] !== undefined && tls !== null) {
  createHttpsServer(tls, (_request, response) => {
    response.writeHead(200, { ...FIELDS, 'content-length': BODY.length });
    response.end(BODY);
  }).listen(benchPort(), '127.0.0.1', ready);
} else {
  const server = tls === null ? createServer() : createSecureServer(tls);
  server.on('stream', answer).listen(benchPort(), '127.0.0.1', ready);
}
