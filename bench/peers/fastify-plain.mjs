// Plain text with Fastify, without its logger.
import { fastify } from 'fastify';
import { announceReady, benchPort } from '../servers/announce.ts';

const BODY = 'Hello, World!';
const app = fastify();

app.get('/', (_request, reply) => {
  reply.type('text/plain; charset=utf-8').send(BODY);
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady();
