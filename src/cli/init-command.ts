// `howdah init`: copies templates/project, which is tested as it is, and writes the package.json for it.
import { cp, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HowdahError } from '../errors.ts';
import { packageVersion } from '../fleet/version.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { InitSettings } from './init-program.ts';

// The same relative path from src/cli and from dist/cli.
const TEMPLATE = fileURLToPath(new URL('../../templates/project', import.meta.url));

/** @throws HowdahError HOWDAH_INIT_REFUSED: nothing was written then */
export async function runInit(
  { directory }: InitSettings,
  { stdout }: { readonly stdout: { write(text: string): unknown } },
): Promise<number> {
  const path = resolve(directory);
  try {
    await mkdir(path, { recursive: true });
    const [first] = await readdir(path);
    if (first !== undefined) throw new HowdahError('HOWDAH_INIT_REFUSED', `${directory} is not empty`);
    await cp(TEMPLATE, path, { recursive: true });
    // npm leaves files of that name out of packages.
    await rename(join(path, 'gitignore'), join(path, '.gitignore'));
    await writeFile(join(path, 'package.json'), `${JSON.stringify(manifest(path), null, 2)}\n`);
  } catch (error) {
    if (error instanceof HowdahError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new HowdahError('HOWDAH_INIT_REFUSED', reason, { cause: error });
  }
  stdout.write(`wrote a project into ${directory}; next: cd ${directory} && npm install && npm run dev\n`);
  return EXIT_CODES.done.code;
}

function manifest(path: string): object {
  const version = packageVersion();
  return {
    name: packageName(basename(path)),
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    scripts: {
      start: 'howdah serve --sql sql app.ts',
      dev: 'howdah dev --sql sql app.ts',
      test: 'node --test',
    },
    dependencies: { howdah: `^${version}` },
    devDependencies: { '@types/node': '^24', typescript: '>=5.8' },
  };
}

/** What npm takes as a name. */
function packageName(name: string): string {
  const cleaned = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '');
  return cleaned === '' ? 'howdah-project' : cleaned;
}
