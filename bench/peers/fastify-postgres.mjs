// The look-up, fifty rows, and inserts with Fastify and `postgres`, as one would write it with these: it prepares statements and pipelines by itself.
import { fastify } from 'fastify';
import postgres from 'postgres';
import { announceReady, benchPort } from '../servers/announce.ts';

const sql = postgres({ host: process.env['PGHOST'], user: 'postgres', database: process.env['PGDATABASE'] });
const app = fastify();
app.get('/item/:id', async (request, reply) => {
  const rows = await sql`select bench_item(${Number(request.params.id)}) as body`;
  return reply.type('application/json').send(rows[0]?.body);
});
app.get('/rows/:first', async (request) => {
  const first = Number(request.params.first);
  return await sql`select id, name, price from bench_items where id >= ${first} order by id limit 50`;
});
app.post('/notes', async (request, reply) => {
  const { text } = request.body;
  const rows = await sql`insert into bench_notes (text) values (${text}) returning id`;
  return reply.code(201).send(rows[0]);
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady(() => sql.end());
