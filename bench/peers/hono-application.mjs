// Plain text, JSON and bodies sent back, as a Hono application: hono-node.mjs and hono-bun.mjs serve it.
import { Hono } from 'hono';
import { jsonValue, TEXT, TEXT_TYPE } from '../servers/answers.ts';

export const application = new Hono();

application.get('/', (c) => c.body(TEXT, 200, { 'content-type': TEXT_TYPE }));
application.get('/json', (c) => c.json(jsonValue()));
application.post('/', async (c) => c.body(await c.req.arrayBuffer(), 200, { 'content-type': TEXT_TYPE }));
