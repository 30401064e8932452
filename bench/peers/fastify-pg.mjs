// The look-up, fifty rows, inserts and a slow request with Fastify and the pool of `pg`, as one would write it with these: statements by name, so prepared.
import { fastify } from 'fastify';
import { Pool } from 'pg';
import { announceReady, benchPort } from '../servers/announce.ts';
import { SELECT_ROWS } from '../servers/items.ts';

const pool = new Pool();
const app = fastify();
app.get('/item/:id', async (request, reply) => {
  const { rows } = await pool.query({
    name: 'item',
    text: 'select bench_item($1) as body',
    values: [Number(request.params.id)],
  });
  return reply.type('application/json').send(rows[0]?.body);
});
app.get('/rows/:first', async (request) => {
  const values = [Number(request.params.first)];
  const { rows } = await pool.query({ name: 'rows', text: SELECT_ROWS, values });
  return rows;
});
app.post('/notes', async (request, reply) => {
  const { rows } = await pool.query({
    name: 'note',
    text: 'insert into bench_notes (text) values ($1) returning id',
    values: [request.body.text],
  });
  return reply.code(201).send(rows[0]);
});
app.get('/slow', async () => {
  await pool.query('select pg_sleep(0.2)');
  return 'slept';
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady(() => pool.end());
