// Command lines and versions of the contestants that more than one scenario has.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServerCommand } from '../harness/server-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);

export const NODE = `Node.js ${process.versions.node}`;

/** Name and version of an installed package, as in `fastify 5.0.0`. */
export function packageVersion(name: string): string {
  for (const directory of require.resolve.paths(name) ?? []) {
    try {
      const { version } = JSON.parse(readFileSync(join(directory, name, 'package.json'), 'utf8')) as {
        version: string;
      };
      return `${name} ${version}`;
    } catch {
      // Not in this node_modules: look further up.
    }
  }
  return `${name}, not installed`;
}

/** As in `pgbench 15.1`. */
export function pgbenchVersion(): string {
  try {
    const printed = execFileSync('pgbench', ['--version'], { encoding: 'latin1' });
    return `pgbench ${/\d+(\.\d+)*/.exec(printed)?.[0] ?? ''}`;
  } catch {
    return 'pgbench, not installed';
  }
}

/** howdah as it is in this checkout. */
export function howdahVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return `howdah ${version}, ${NODE}`;
}

/** A file of bench/. */
export function benchFile(path: string): string {
  return join(root, 'bench', path);
}

/** The command line of a script of bench/servers that Node.js runs. */
export function nodeScript(name: string): readonly string[] {
  return [process.execPath, benchFile(`servers/${name}`)];
}

/** A server script of bench/servers: gets its port from the environment and prints `ready`. */
export function serverScript(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): ServerCommand {
  return { command: () => nodeScript(name), environment, ready: /^ready$/m };
}

/** A peer's script of bench/peers, written with packages of bench/package.json: otherwise as above. */
export function peerScript(name: string, environment: Readonly<Record<string, string>> = {}): ServerCommand {
  const command = [process.execPath, benchFile(`peers/${name}`)];
  return { command: () => command, environment, ready: /^ready$/m };
}

/** The same, run by Bun: by the binary that npm installed, not by another on PATH. */
export function bunScript(name: string): ServerCommand {
  return {
    command: () => [
      join(dirname(require.resolve('bun/package.json')), 'bin/bun.exe'),
      benchFile(`peers/${name}`),
    ],
    ready: /^ready$/m,
  };
}

/** `howdah serve` on the port, with more arguments; without a log of requests, as its peers have none. */
export function howdahServe(...more: readonly string[]): ServerCommand {
  return {
    command: (port) => [
      process.execPath,
      join(root, 'bin/howdah.js'),
      'serve',
      '--listen',
      `127.0.0.1:${port}`,
      '--pg-listen',
      'off',
      '--no-access-log',
      ...more,
    ],
    ready: /https?:\/\/127\.0\.0\.1:\d+/,
  };
}
