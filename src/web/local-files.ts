// Files below directories that the operator allows: finds what a path names there, without a way out, and answers a request with
// it. Decides nothing about who may ask for which.
import { createHash } from 'node:crypto';
import { readdir, realpath, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HowdahError } from '../errors.ts';
import { parseEntityTag } from '../protocol/http/entity-tag.ts';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import { BoundedCache } from './bounded-cache.ts';
import { contentTypeOf } from './content-type.ts';
import type { Exchange } from './exchange.ts';
import { planContent, type Representation } from './files/content-plan.ts';
import { htmlText } from './files/directory-list.ts';
import { absent, identityOf, isWithin, openBelow, type OpenFile } from './files/open-file.ts';
import { sendFromFile, sendFromMemory } from './files/send-content.ts';

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
    const found = await openBelow(mount, [file.path]);
    const index = found === 'directory' ? await openBelow(mount, [file.path, 'index.html']) : null;
    const opened = index ?? found;
    if (opened === null || (opened === 'directory' && !file.listing)) {
      notFound(exchange);
    } else if (opened === 'directory') {
      await respondList(exchange, file, join(mount, file.path));
    } else {
      const name = opened === index ? 'index.html' : file.path;
      await this.#respondFile(exchange, file, opened, contentTypeOf(name, null));
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
    const { handle, stats } = opened;
    const { size } = stats;
    const identity = identityOf(stats);
    let streams = false;
    try {
      const whole = size <= WHOLE_BYTES ? await handle.readFile() : null;
      let etag = this.#tags.get(identity);
      if (etag === undefined) {
        etag = `"${whole === null ? await digest(handle) : createHash('sha256').update(whole).digest('hex')}"`;
        this.#tags.set(identity, etag);
      }
      const { method, fields } = exchange.head;
      const represented = representationOf(file.fields, whole?.length ?? size, contentType, etag);
      const plan = planContent(method, fields, represented);
      // omni_httpd has the type in a 304 as well.
      const sent =
        plan.status === 304 ? { ...plan, fields: [...represented.contentFields, ...plan.fields] } : plan;
      streams = whole === null;
      if (whole === null) sendFromFile(exchange, sent, handle);
      else sendFromMemory(exchange, sent, whole);
    } finally {
      if (!streams) await handle.close();
    }
  }
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

/** What the handler gave goes before what is known of the file; a tag of its own is what clients have, and compared with. */
function representationOf(
  given: FieldLines,
  size: number,
  knownType: string,
  digested: string,
): Representation {
  const fields: string[] = [];
  let contentType = knownType;
  let etag: string | null = null;
  let hasCacheControl = false;
  for (let i = 0; i < given.length; i += 2) {
    const name = given[i]?.toLowerCase() ?? '';
    const value = given[i + 1] ?? '';
    if (name === 'content-type') contentType = value;
    else fields.push(name, value);
    if (name === 'etag') etag = value;
    hasCacheControl ||= name === 'cache-control';
  }
  if (etag === null) fields.push('etag', digested);
  if (!hasCacheControl) fields.push('cache-control', CACHE_CONTROL);
  return {
    size,
    contentType,
    validators: { etag: parseEntityTag(etag ?? digested), lastModifiedMs: null },
    fields,
    contentFields: ['content-type', contentType, 'accept-ranges', 'bytes'],
  };
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

function notFound(exchange: Exchange): void {
  exchange.respond({ status: 404, fields: [], body: null });
}
