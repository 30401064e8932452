// A Hono application, unchanged, with middlewares of Hono's: howdah serve examples/hono.ts
// What Hono calls `env` is howdah's context: its database is there, too.
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import type { Context } from 'howdah';

const app = new Hono<{ Bindings: Context }>();

app.use(cors());
app.use('/cached/*', etag());
app.get('/', (c) => c.text('Hello from Hono!\n'));
app.get('/cached/page', (c) => c.html('<h1>Hono</h1>'));
app.get('/users/:name', (c) => c.json({ name: c.req.param('name'), peer: c.env.peer.address }));
app.get('/postgres', async (c) => c.json(await c.env.db`select current_database() as database`));

export default app;
