// A static site: howdah serve examples/site.ts, then open http://localhost:8080
import { join } from 'node:path';
import { application, compress, route, staticFiles } from 'howdah';

const root = join(import.meta.dirname, 'site');

export default application({
  routes: [
    route(
      '/assets/*',
      staticFiles({ root: join(root, 'assets'), cacheControl: 'public, max-age=31536000, immutable' }),
    ),
    route(
      '/*',
      staticFiles({ root, cacheControl: 'no-cache', headers: { 'x-content-type-options': 'nosniff' } }),
    ),
  ],
  streamHandlers: [compress()],
});
