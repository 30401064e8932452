// A reverse proxy with a cache for what may be kept: UPSTREAM=http://127.0.0.1:3000 howdah serve examples/proxy.ts
// Bodies are streamed both ways; when the client leaves, the request to the upstream is given up.
import { application, middleware, route } from 'howdah';

const upstream = new URL(process.env['UPSTREAM'] ?? 'http://127.0.0.1:3000');

/** Fields that speak of one connection, and the encoding that fetch() has undone. */
const NOT_FORWARDED = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-encoding',
  'content-length',
];

const timing = middleware(async (_request, _context, next) => {
  const begun = performance.now();
  const response = await next();
  response.headers.append('server-timing', `upstream;dur=${(performance.now() - begun).toFixed(1)}`);
  return response;
});

export default application({
  middlewares: [timing],
  routes: [
    route('/*', async (request, { peer }) => {
      const url = new URL(request.url);
      const target = new URL(url.pathname + url.search, upstream);
      const headers = new Headers(request.headers);
      for (const name of NOT_FORWARDED) headers.delete(name);
      headers.append('x-forwarded-for', peer.address);
      headers.set('x-forwarded-proto', url.protocol.slice(0, -1));
      headers.set('x-forwarded-host', url.host);
      try {
        const { method, body, signal } = request;
        const answer = await fetch(target, {
          method,
          headers,
          body,
          signal,
          redirect: 'manual',
          duplex: 'half',
        });
        const kept = new Headers(answer.headers);
        for (const name of NOT_FORWARDED) kept.delete(name);
        return new Response(answer.body, { status: answer.status, headers: kept });
      } catch {
        return new Response('the upstream does not answer\n', { status: 502 });
      }
    }),
  ],
});
