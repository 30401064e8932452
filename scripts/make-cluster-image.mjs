// Makes build/cluster-VERSION.tar.gz, a fresh cluster that a first start unpacks instead of making one, unless it is there.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { clusterImagePath } from '../src/database/embedded/cluster-image.ts';

const path = clusterImagePath();
if (!existsSync(path)) {
  console.error('making the image of an empty cluster …');
  rmSync(dirname(path), { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  const database = await PGlite.create();
  const image = await database.dumpDataDir('gzip');
  // A file that is half written must not be taken for an image.
  writeFileSync(`${path}.next`, Buffer.from(await image.arrayBuffer()));
  renameSync(`${path}.next`, path);
  process.exit(0); // PGlite keeps the event loop alive
}
