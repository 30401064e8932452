// Plain text with Bun's server. Run by bun, not by node.
import { announceReady, benchPort } from '../servers/announce.ts';

const BODY = 'Hello, World!';

Bun.serve({
  hostname: '127.0.0.1',
  port: benchPort(),
  fetch: () => new Response(BODY, { headers: { 'content-type': 'text/plain; charset=utf-8' } }),
});
announceReady();
