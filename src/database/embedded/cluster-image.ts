// A fresh cluster as one file, made when the package is built: to unpack it takes a fraction of the time of making one.
// Where it is missing, a cluster is made the long way. Written by scripts/make-cluster-image.mjs.
import { existsSync, openAsBlob, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the package's root, from src/database/embedded and from dist/database/embedded alike. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Where the image for the PGlite that is installed is, or would be: one of another version must not be used. */
export function clusterImagePath(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const text = readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return join(ROOT, 'build', `cluster-${version}.tar.gz`);
}

/** The image, or null where there is none. */
export async function readClusterImage(): Promise<Blob | null> {
  const path = clusterImagePath();
  return existsSync(path) ? openAsBlob(path, { type: 'application/gzip' }) : null;
}
