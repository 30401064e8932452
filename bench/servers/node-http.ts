// Plain text with node:http, as lean as it is usually written.
import { createServer } from 'node:http';
import { announceReady, benchPort } from './announce.ts';

const BODY = 'Hello, World!';

createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': BODY.length });
  response.end(BODY);
}).listen(benchPort(), '127.0.0.1', () => announceReady());
