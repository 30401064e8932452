// The look-up with Fastify and the pool of `pg`, as one would write it with these: statements by name, so prepared.
import { fastify } from 'fastify';
import { Pool } from 'pg';
import { announceReady, benchPort } from '../servers/announce.ts';

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
app.get('/visit/:id', async (request, reply) => {
  const { rows } = await pool.query({
    name: 'visit',
    text: 'with visit as (insert into bench_visits (id) values ($1)) select bench_item($1) as body',
    values: [Number(request.params.id)],
  });
  return reply.type('application/json').send(rows[0]?.body);
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady(() => pool.end());
