// Plain text with Bun's server. Run by bun, not by node.
import { announceReady, benchPort } from './announce.ts';

/** The part of Bun's API that is used here: its types are no package of this project. */
declare const Bun: {
  serve(options: { hostname: string; port: number; fetch(request: Request): Response }): unknown;
};

const BODY = 'Hello, World!';

Bun.serve({
  hostname: '127.0.0.1',
  port: benchPort(),
  fetch: () => new Response(BODY, { headers: { 'content-type': 'text/plain; charset=utf-8' } }),
});
announceReady();
