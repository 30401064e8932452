// Static files with howdah: staticFiles() behind a route, with everything between it and the socket but a database.
import { staticFiles } from '../../src/web/files/static-files.ts';
import { route } from '../../src/web/route.ts';
import { announceReady } from './announce.ts';
import { serveRoutes } from './serve-routes.ts';
import { CACHE_CONTROL, makeStaticRoot } from './static-root.ts';

const files = makeStaticRoot();
const close = await serveRoutes([
  route('/files/*', staticFiles({ root: files.root, cacheControl: CACHE_CONTROL })),
]);
announceReady(async () => {
  await close();
  files.remove();
});
