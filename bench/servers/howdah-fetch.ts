// A fetch-style handler in TypeScript, among BENCH_ROUTES routes.
import { route } from '../../src/web/route.ts';
import { announceReady } from './announce.ts';
import { jsonValue, TEXT, TEXT_TYPE } from './answers.ts';
import { serveRoutes } from './serve-routes.ts';

const headers = { 'content-type': TEXT_TYPE };
const others = Number(process.env['BENCH_ROUTES'] ?? '4') - 4;
const close = await serveRoutes([
  route('GET /', () => new Response(TEXT, { headers })),
  route('POST /', async (request) => new Response(await request.bytes(), { headers })),
  route('GET /json', () => Response.json(jsonValue())),
  route(
    'GET /users/:id/notes/:note',
    (_, { bindings }) => new Response(`${bindings.id} ${bindings.note}`, { headers }),
  ),
  ...Array.from({ length: others }, (_, i) =>
    route(`GET /collection-${i}/:id`, () => new Response(String(i), { headers })),
  ),
]);
announceReady(close);
