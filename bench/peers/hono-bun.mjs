// The Hono application in Bun. Run by bun, not by node.
import { announceReady, benchPort } from '../servers/announce.ts';
import { application } from './hono-application.mjs';

Bun.serve({ fetch: application.fetch, hostname: '127.0.0.1', port: benchPort() });
announceReady();
