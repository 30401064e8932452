// Makes a bare clone ready: installs npm packages when they are missing or stale, and with --test or --bench the
// Debian packages that those need. Plain JavaScript for the Node.js that the machine happens to have (20 or newer).
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs the packages of a lock file, where they are missing or stale. */
function installPackages(folder) {
  const stamp = `${folder}node_modules/.howdah-lock`;
  const lock = createHash('sha256')
    .update(readFileSync(`${folder}package-lock.json`))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('installing npm packages …');
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    });
  } catch {
    console.error('the npm packages could not be installed: the reason is above');
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

installPackages(root);
if (process.argv.includes('--bench')) installPackages(`${root}bench/`);
if (process.argv.includes('--test')) installPackages(`${root}test/postgres-14/`);

// So that `npx howdah` in a clone runs the clone, with the pinned Node.js, and asks no registry.
const command = `${root}node_modules/.bin/howdah`;
if (lstatSync(command, { throwIfNoEntry: false }) === undefined) symlinkSync('../../bin/howdah.js', command);

// Cheap where it is there; the pinned Node.js, since the one that runs this may be too old for what the script imports.
execFileSync(`${root}node_modules/.bin/node`, ['scripts/make-cluster-image.mjs'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});

/** Command that must be on PATH, or file that must be there → Debian package that brings it. */
const PACKAGES = {
  '--test': {
    curl: 'curl',
    psql: 'postgresql-client',
    pgbouncer: 'pgbouncer',
    nghttp: 'nghttp2-client',
    '/usr/lib/python3/dist-packages/h2/__init__.py': 'python3-h2',
    chromium: 'chromium',
  },
  '--bench': {
    wrk: 'wrk',
    pgbench: 'postgresql',
    taskset: 'util-linux',
    curl: 'curl',
    h2load: 'nghttp2-client',
    h2o: 'h2o',
    '/usr/sbin/nginx': 'nginx-light',
  },
};
const has = (command) => {
  if (command.startsWith('/')) return existsSync(command);
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const wanted = process.argv.slice(2).flatMap((flag) => Object.entries(PACKAGES[flag] ?? {}));
const missing = wanted.filter(([command]) => !has(command)).map(([, name]) => name);
if (missing.length > 0) {
  console.error(`installing ${missing.join(', ')} …`);
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args) =>
    execFileSync('env', [...sudo, 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args], {
      stdio: ['ignore', 2, 2],
    });
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...missing);
  } catch {
    console.error(`could not install ${missing.join(', ')}: install these by hand and run the command again`);
    process.exit(1);
  }
}
