// Files below directories that the operator allows: finds what a path names there, without a way out, and answers a request with
// it. Decides nothing about who may ask for which.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, readlink, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { HowdahError } from '../errors.ts';
import { getField, type FieldLines } from '../protocol/http/field-lines.ts';
import { BoundedCache } from './bounded-cache.ts';
import { contentTypeOf } from './content-type.ts';
import type { Exchange } from './exchange.ts';

/** A file, or a directory, that is to be the answer. */
export interface LocalFile {
  /** Directory that the path is below; it must be, or be in, one that the operator allows. */
  readonly mount: string;
  /** Begins with a slash, decoded. */
  readonly path: string;
  /** What links of a list begin with. */
  readonly shownPath: string;
  /** Whether a directory without index.html is answered with the names in it. */
  readonly listing: boolean;
  /** Go before those that are added here. */
  readonly fields: FieldLines;
}

/** Up to this a file is sent from memory; beyond, as it is read. */
const WHOLE_BYTES = 256 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Entries of some 200 bytes. */
const CACHED_TAGS = 5000;
const LONGEST_TAG_KEY = 100;

const CACHE_CONTROL = 'public, max-age=3600';

/** What open and realpath say of what is not there for us: also a name that is too long, one with a file for a directory, a socket. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'EINVAL', 'ENXIO']);

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
  /** Tells the contents apart as far as the system does. */
  readonly identity: string;
}

export class LocalFiles {
  readonly #allowed: readonly string[];
  readonly #tags = new BoundedCache<string>(CACHED_TAGS, LONGEST_TAG_KEY);

  /** @param allowed directories that may be read, with what is below them */
  constructor(allowed: readonly string[]) {
    this.#allowed = allowed;
  }

  /**
   * Answers the exchange.
   * @throws HowdahError HOWDAH_DIRECTORY_NOT_ALLOWED, and what the system says of a file that is there and cannot be read
   */
  async respond(exchange: Exchange, file: LocalFile): Promise<void> {
    const mount = await this.#allowedMount(file.mount);
    const path = await find(mount, file.path);
    if (path === null) {
      notFound(exchange);
      return;
    }
    const isDirectory = await stat(path).then((found) => found.isDirectory(), absent);
    const opened = await openFile(
      mount,
      isDirectory === true ? await find(mount, `${file.path}/index.html`) : path,
    );
    if (opened !== null) {
      const name = isDirectory === true ? 'index.html' : file.path;
      await this.#respondFile(exchange, file, opened, contentTypeOf(name, null));
    } else if (isDirectory === true && file.listing) {
      await respondList(exchange, file, path);
    } else {
      notFound(exchange);
    }
  }

  async #allowedMount(mount: string): Promise<string> {
    const real = await realpath(resolve(mount)).catch((error: unknown) => {
      throw new HowdahError('HOWDAH_DIRECTORY_NOT_ALLOWED', `${mount} is not there`, { cause: error });
    });
    for (const allowed of this.#allowed) {
      // Looked up each time: what it is may change, a release that is linked to, say.
      const below = await realpath(resolve(allowed)).catch(absent);
      if (below !== null && isWithin(below, real)) return real;
    }
    throw new HowdahError('HOWDAH_DIRECTORY_NOT_ALLOWED', mount);
  }

  async #respondFile(
    exchange: Exchange,
    file: LocalFile,
    opened: OpenFile,
    contentType: string,
  ): Promise<void> {
    const { handle, size, identity } = opened;
    let streams = false;
    try {
      const whole = size <= WHOLE_BYTES ? await handle.readFile() : null;
      let etag = this.#tags.get(identity);
      if (etag === undefined) {
        etag = `"${whole === null ? await digest(handle) : createHash('sha256').update(whole).digest('hex')}"`;
        this.#tags.set(identity, etag);
      }
      const fields = withDefaults(file.fields, contentType, etag);
      if (matches(getField(exchange.head.fields, 'if-none-match'), etag)) {
        exchange.respond({ status: 304, fields, body: null });
      } else if (whole !== null) {
        exchange.respond({ status: 200, fields, body: whole });
      } else {
        streams = true;
        const length = ['content-length', String(size)];
        exchange.respondStreamed({
          status: 200,
          fields: [...fields, ...length],
          body: content(handle, size),
        });
      }
    } finally {
      if (!streams) await handle.close();
    }
  }
}

/** The real path of what is below the mount, or null. */
async function find(mount: string, path: string): Promise<string | null> {
  if (path.includes('\0')) return null;
  const real = await realpath(join(mount, path)).catch(absent);
  return real !== null && isWithin(mount, real) ? real : null;
}

function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

function absent(error: NodeJS.ErrnoException): null {
  if (ABSENT.has(error.code ?? '')) return null;
  throw error;
}

/** null: no regular file below the mount. */
async function openFile(mount: string, path: string | null): Promise<OpenFile | null> {
  if (path === null) return null;
  // Without waiting for whoever writes into a pipe.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(path, flags).catch(absent);
  if (handle === null) return null;
  try {
    const { size, dev, ino, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
    // What was opened, where the system tells: a directory on the way may have become a link since.
    const real = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => path);
    if ((await handle.stat()).isFile() && isWithin(mount, real)) {
      return { handle, size: Number(size), identity: `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}` };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return null;
}

async function digest(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** `size` bytes, and no more: the length has been announced. Closes the file. */
async function* content(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  try {
    let position = 0;
    while (position < size) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function withDefaults(given: FieldLines, contentType: string, etag: string): string[] {
  const fields = [...given];
  for (const [name, value] of [
    ['content-type', contentType],
    ['etag', etag],
    ['cache-control', CACHE_CONTROL],
  ] as const) {
    if (!given.some((other, i) => i % 2 === 0 && other.toLowerCase() === name)) fields.push(name, value);
  }
  return fields;
}

/** If-None-Match (RFC 9110 §13.1.2): weak comparison. */
function matches(condition: string | undefined, etag: string): boolean {
  if (condition === undefined) return false;
  if (condition.trim() === '*') return true;
  return condition.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

async function respondList(exchange: Exchange, file: LocalFile, directory: string): Promise<void> {
  const names = await readdir(directory).catch(absent);
  if (names === null) {
    notFound(exchange);
    return;
  }
  const base = file.shownPath.replace(/\/+$/, '');
  const links = names
    .toSorted()
    .map(
      (name) =>
        `<a href="${htmlText(`${base}/${name}`.split('/').map(encodeURIComponent).join('/'))}">${htmlText(name)}</a>`,
    );
  exchange.respond({
    status: 200,
    fields: [...file.fields, 'content-type', 'text/html'],
    body: links.join('<br>'),
  });
}

/** In ASCII, so that it does not matter what charset is said. */
function htmlText(text: string): string {
  return text.replace(/[^ -~]|[&<>"]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

function notFound(exchange: Exchange): void {
  exchange.respond({ status: 404, fields: [], body: null });
}
