// The look-up, fifty rows, and an insert with Fastify and PGlite's query(), as one would write it with these. With BENCH_DATA its data is there,
// kept from start to start; otherwise in memory.
import { existsSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { fastify } from 'fastify';
import { announceReady, benchPort } from '../servers/announce.ts';
import { openItems } from '../servers/embedded-items.ts';
import { SELECT_ROWS } from '../servers/items.ts';

const directory = process.env['BENCH_DATA'];
const fresh = directory !== undefined && !existsSync(directory);
const db = directory === undefined ? await openItems() : await PGlite.create(directory);
if (fresh) await db.exec('create table visited (at timestamptz)');

const app = fastify();
app.get('/item/:id', async (request, reply) => {
  const { rows } = await db.query('select bench_item($1) as body', [Number(request.params.id)]);
  return reply.type('application/json').send(rows[0]?.body);
});
app.get('/rows/:first', async (request) => {
  const { rows } = await db.query(SELECT_ROWS, [Number(request.params.first)]);
  return rows;
});
app.post('/notes', async (request, reply) => {
  const { rows } = await db.query('insert into bench_notes (text) values ($1) returning id', [
    request.body.text,
  ]);
  return reply.code(201).send(rows[0]);
});
app.get('/', async (_request, reply) => {
  const { rows } = await db.query('select version() as body');
  return reply.type('text/plain').send(rows[0]?.body);
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady(() => db.close());
