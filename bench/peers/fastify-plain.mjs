// Plain text, JSON and bodies sent back, with Fastify, without its logger.
import { fastify } from 'fastify';
import { announceReady, benchPort } from '../servers/announce.ts';
import { jsonValue, MAX_BODY_BYTES, TEXT, TEXT_TYPE } from '../servers/answers.ts';

const app = fastify({ bodyLimit: MAX_BODY_BYTES });

app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.get('/', (_request, reply) => {
  reply.type(TEXT_TYPE).send(TEXT);
});
app.get('/json', (_request, reply) => {
  reply.send(jsonValue());
});
app.post('/', (request, reply) => {
  reply.type(TEXT_TYPE).send(request.body);
});
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady();
