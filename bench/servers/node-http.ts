// Plain text, JSON and bodies sent back, with node:http, as lean as it is usually written.
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { announceReady, benchPort } from './announce.ts';
import { JSON_TYPE, jsonValue, TEXT, TEXT_TYPE } from './answers.ts';

/** Requests for /hold: in flight until their clients leave. */
const held = new Set<ServerResponse>();

function respond(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => respond(response, TEXT_TYPE, Buffer.concat(chunks)));
  } else if (request.url === '/') {
    respond(response, TEXT_TYPE, TEXT);
  } else if (request.url === '/json') {
    respond(response, JSON_TYPE, JSON.stringify(jsonValue()));
  } else if (request.url === '/hold') {
    held.add(response);
    response.on('close', () => held.delete(response));
  } else {
    respond(response, TEXT_TYPE, String(held.size));
  }
});
// Connections that do nothing stay while memory is read.
server.keepAliveTimeout = 600_000;
server.listen(benchPort(), '127.0.0.1', () => announceReady());
