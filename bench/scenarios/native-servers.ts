// Servers that are not in JavaScript, with the files that they serve and their configuration: nginx and h2o, one thread each.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerCommand } from '../harness/server-process.ts';
import { TEXT } from '../servers/answers.ts';
import { CACHE_CONTROL, writeStaticFiles } from '../servers/static-root.ts';
import { nodeScript } from './commands.ts';

/** What nginx and h2o speak at a port; both speak HTTP/1.1 over TLS too, where the client asks for that. */
export type Spoken = 'http/1.1' | 'h2c' | 'tls';

/** What is written on disk is made when the first server that needs it is started, and gone with this process. */
let files: string | null = null;

/** Has certificate.pem, key.pem, index.txt with the plain text, and the static files. */
export function filesDirectory(): string {
  if (files !== null) return files;
  const made = mkdtempSync(join(tmpdir(), 'howdah-bench-'));
  // Both serve as another user where root has started them.
  chmodSync(made, 0o755);
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  const [node = 'node', ...script] = nodeScript('make-certificate.ts');
  execFileSync(node, [...script, made]);
  writeFileSync(join(made, 'index.txt'), TEXT);
  writeStaticFiles(made);
  files = made;
  return made;
}

export function h2o(spoken: Spoken): ServerCommand {
  return {
    command: (port) => {
      const directory = filesDirectory();
      const ssl = `\n  ssl: { certificate-file: ${directory}/certificate.pem, key-file: ${directory}/key.pem }`;
      const configuration = `num-threads: 1
listen:
  host: 127.0.0.1
  port: ${port}${spoken === 'tls' ? ssl : ''}
hosts:
  default:
    paths:
      /:
        file.dir: ${directory}
        file.index: [index.txt]
        file.etag: OFF
`;
      const path = join(directory, `h2o-${port}.conf`);
      writeFileSync(path, configuration);
      return ['h2o', '--mode', 'worker', '--conf', path];
    },
    ready: /ready to serve requests/,
  };
}

/** `/` is the plain text, from its configuration; `/files/` has the static files. */
export function nginx(spoken: Spoken): ServerCommand {
  return {
    command: (port) => {
      const directory = filesDirectory();
      const listen = { 'http/1.1': '', h2c: ' http2', tls: ' ssl http2' }[spoken];
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `  ${name}_temp_path ${directory}/nginx-${name};`)
        .join('\n');
      const configuration = `daemon off;
worker_processes 1;
pid ${directory}/nginx-${port}.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
${temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  # Connections of the load are as long as it is, with all servers.
  keepalive_requests 1000000000;
  types { text/plain txt; }
  default_type text/plain;
  charset utf-8;
  server {
    listen 127.0.0.1:${port}${listen};
    ssl_certificate ${directory}/certificate.pem;
    ssl_certificate_key ${directory}/key.pem;
    location = / { return 200 '${TEXT}'; }
    location /files/ {
      alias ${directory}/;
      open_file_cache max=100;
      add_header cache-control '${CACHE_CONTROL}';
    }
  }
}
`;
      const path = join(directory, `nginx-${port}.conf`);
      writeFileSync(path, configuration);
      return ['nginx', '-e', 'stderr', '-c', path];
    },
    ready: /start worker process \d/,
    environment: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  };
}

function printedVersion(command: string, flag: string, pattern: RegExp): string {
  try {
    const printed = execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin ${command} ${flag} 2>&1`], {
      encoding: 'latin1',
    });
    return `${command} ${pattern.exec(printed)?.[1] ?? ''}`.trimEnd();
  } catch {
    return `${command}, not installed`;
  }
}

/** As in `h2o 2.2.5`. */
export function h2oVersion(): string {
  return printedVersion('h2o', '--version', /^h2o version (\S+)/m);
}

/** As in `nginx 1.22.1`. */
export function nginxVersion(): string {
  return printedVersion('nginx', '-v', /nginx\/(\S+)/);
}
