// Plain text, JSON and bodies sent back, with Bun's server. Run by bun, not by node.
import { announceReady, benchPort } from '../servers/announce.ts';
import { jsonValue, TEXT, TEXT_TYPE } from '../servers/answers.ts';

const headers = { 'content-type': TEXT_TYPE };

Bun.serve({
  hostname: '127.0.0.1',
  port: benchPort(),
  idleTimeout: 0,
  async fetch(request) {
    if (request.method === 'POST') return new Response(await request.arrayBuffer(), { headers });
    if (request.url.endsWith('/json')) return Response.json(jsonValue());
    return new Response(TEXT, { headers });
  },
});
announceReady();
