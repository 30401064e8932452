// The Hono application on Node.js, with Hono's own adapter.
import { serve } from '@hono/node-server';
import { announceReady, benchPort } from '../servers/announce.ts';
import { application } from './hono-application.mjs';

serve({ fetch: application.fetch, hostname: '127.0.0.1', port: benchPort() }, () => announceReady());
