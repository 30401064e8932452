// A directory of files for the tests of staticFiles(), served over a socket. No test itself.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { staticFiles, type StaticOptions } from '../../src/web/files/static-files.ts';
import type { Context } from '../../src/web/handler.ts';
import { startHttp, type HttpFixture } from './http-fixture.ts';

export const directory = realpathSync(mkdtempSync(join(tmpdir(), 'howdah-static-')));
export const root = join(directory, 'public');
export const LARGE = 3_000_000;
export const large = Buffer.alloc(LARGE, 'The quick brown fox jumps over the lazy dog. ');
export const write = (path: string, content: string | Buffer): void =>
  writeFileSync(join(root, path), content);
/** Times whose seconds are whole, so that dates are exact. */
export const age = (path: string, seconds: number): void => utimesSync(join(root, path), seconds, seconds);
export const MODIFIED = Date.UTC(2024, 0, 2, 3, 4, 5) / 1000;
export const MODIFIED_TEXT = 'Tue, 02 Jan 2024 03:04:05 GMT';

/** Files, for as long as the tests of a file run. */
export function filesOnDisk(): void {
  before(() => {
    mkdirSync(join(root, 'sub/empty'), { recursive: true });
    mkdirSync(join(root, '.well-known'));
    mkdirSync(join(root, '.git'));
    write('a.txt', 'hello, world');
    age('a.txt', MODIFIED);
    write('empty.css', '');
    write('large.bin', large);
    write('sub/index.html', '<p>sub');
    write('sub/ä b%.txt', 'strange');
    write('.env', 'SECRET=1');
    write('.git/config', 'secret');
    write('.well-known/security.txt', 'Contact: x');
    writeFileSync(join(directory, 'outside.txt'), 'outside');
    mkdirSync(join(directory, 'public-not'));
    writeFileSync(join(directory, 'public-not/secret.txt'), 'outside');
  });
  after(() => rmSync(directory, { recursive: true, force: true }));
}

export async function serve(options: Partial<StaticOptions> = {}): Promise<HttpFixture> {
  const target = staticFiles(
    options.file === undefined && options.package === undefined ? { root, ...options } : options,
  );
  return startHttp((exchange) => {
    const rest = exchange.head.path.slice('/files/'.length);
    void target.handleExchange(exchange, { groups: { '0': rest } } as unknown as Context);
  });
}

/** How often this process has the file open (Linux). */
export function timesOpen(path: string): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === path) count++;
    } catch {
      // Closed since.
    }
  }
  return count;
}

export async function untilClosed(path: string): Promise<void> {
  while (timesOpen(path) > 0) await new Promise(setImmediate);
}

export interface Got {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Over a socket, so that the path goes out as it is given. */
export async function get(http: HttpFixture, path: string, fields = '', method = 'GET'): Promise<Got> {
  const client = await http.connect();
  client.send(`${method} /files/${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${fields}\r\n`);
  const text = await client.untilEnd();
  client.socket.destroy();
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4) };
}
