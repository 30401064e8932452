// The look-up with Fastify and `postgres`, as one would write it with these: it prepares statements and pipelines by itself.
import { fastify } from 'fastify';
import postgres from 'postgres';
import { announceReady, benchPort } from '../servers/announce.ts';

const sql = postgres({ host: process.env['PGHOST'], user: 'postgres', database: process.env['PGDATABASE'] });
const app = fastify();
app.get('/item/:id', async (request, reply) => {
  const rows = await sql`select bench_item(${Number(request.params.id)}) as body`;
  return reply.type('application/json').send(rows[0]?.body);
});
app.get('/visit/:id', async (request, reply) => {
  const id = Number(request.params.id);
  const rows =
    await sql`with visit as (insert into bench_visits (id) values (${id})) select bench_item(${id}) as body`;
  return reply.type('application/json').send(rows[0]?.body);
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady(() => sql.end());
