#!/usr/bin/env node
// Entry of the `howdah` command: finds a Node.js that is new enough, then runs the compiled or source CLI.
// Plain JavaScript that Node.js 20 understands, since it may be started by an older one.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const OLDEST_MAJOR = 24;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR) {
  const source = here('../src/cli/main.ts');
  await import(existsSync(source) ? source : here('../dist/cli/main.js'));
} else {
  const bundled = here('../node_modules/node/bin/node');
  if (!existsSync(bundled)) {
    process.stderr.write(`howdah needs Node.js ${OLDEST_MAJOR} or newer; this is ${process.version}\n`);
    process.exit(2);
  }
  const child = spawn(bundled, process.argv.slice(1), { stdio: 'inherit' });
  // SIGINT comes from a terminal, which sends it to the child as well; the others are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 15)));
}
