// Static files with Fastify and @fastify/static, without its logger.
import fastifyStatic from '@fastify/static';
import { fastify } from 'fastify';
import { announceReady, benchPort } from '../servers/announce.ts';
import { makeStaticRoot } from '../servers/static-root.ts';

const files = makeStaticRoot();
const app = fastify();
// Its defaults: cache-control (public, max-age=0), etag, last-modified and ranges, as howdah's.
app.register(fastifyStatic, { root: files.root, prefix: '/files/' });
await app.listen({ host: '127.0.0.1', port: benchPort() });
announceReady(async () => files.remove());
