// The files below a directory, with what is known of them: validators, types, and the content of small ones. What it knows is
// checked against the file each time it is asked for; nothing stale is given.
import { stat as statOf, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { formatEntityTag } from '../../protocol/http/entity-tag.ts';
import type { FieldLines } from '../../protocol/http/field-lines.ts';
import { formatHttpDate } from '../../protocol/http/http-date.ts';
import { BoundedCache } from '../bounded-cache.ts';
import type { Representation } from './content-plan.ts';
import { openBelow, openUnchanged, sameContent } from './open-file.ts';

/** Files up to this are kept in memory: 2 × 256 of them, 32 MB at most. */
const MAX_KEPT_BYTES = 65_536;
const GENERATION = 256;
const LONGEST_KEY = 1024;

/** What a file looks like to a client: given by whoever serves it. */
export interface FileAppearance {
  readonly contentType: string;
  readonly contentEncoding: string | null;
  /** Sent with each answer. */
  readonly fields: FieldLines;
}

export type Describe = (segments: readonly string[]) => FileAppearance;

export class StoredFile implements Representation {
  readonly stats: Stats;
  readonly size: number;
  readonly contentType: string;
  readonly validators: Representation['validators'];
  readonly fields: FieldLines;
  readonly contentFields: FieldLines;
  /** Null for what is too large to be kept. */
  readonly content: Buffer | null;
  /** What speaks of the content where it is the page of another answer. */
  readonly pageFields: FieldLines;
  /** Of the answer to a plain GET. */
  readonly allFields: FieldLines;

  constructor(stats: Stats, content: Buffer | null, appearance: FileAppearance) {
    this.stats = stats;
    this.size = content?.length ?? stats.size;
    this.content = content;
    this.contentType = appearance.contentType;
    const { contentEncoding } = appearance;
    const lastModifiedMs = Math.floor(stats.mtimeMs / 1000) * 1000;
    // Strong: the same size and the same time to the microsecond are the same bytes, but for who sets times back.
    const opaque = `${stats.size.toString(36)}-${Math.round(stats.mtimeMs * 1000).toString(36)}`;
    const etag = { weak: false, opaque: contentEncoding === null ? opaque : `${opaque}-${contentEncoding}` };
    this.validators = { etag, lastModifiedMs };
    this.fields = [
      'etag',
      formatEntityTag(etag),
      'last-modified',
      formatHttpDate(lastModifiedMs),
      ...appearance.fields,
    ];
    this.pageFields = [
      'content-type',
      appearance.contentType,
      ...(contentEncoding === null ? [] : ['content-encoding', contentEncoding]),
    ];
    this.contentFields = [...this.pageFields, 'accept-ranges', 'bytes'];
    this.allFields = [...this.contentFields, ...this.fields];
  }
}

/** A file that is to be sent: from memory, or from `handle`, which whoever gets it closes. */
export interface FoundFile {
  readonly file: StoredFile;
  readonly handle: FileHandle | null;
}

type Found = FoundFile | 'directory' | null;
type Waiting = { readonly resolve: (found: Found) => void; readonly reject: (error: unknown) => void };

interface Entry {
  readonly file: StoredFile;
  readonly segments: readonly string[];
  /** As it was asked for: what the links in it lead to may change. */
  readonly path: string;
  /** Those whose answer waits for the check under way; those that came since it began. */
  checking: Waiting[] | null;
  next: Waiting[];
}

export class FileStore {
  readonly #root: string;
  readonly #describe: Describe;
  readonly #entries = new BoundedCache<Entry>(GENERATION, LONGEST_KEY);

  constructor(root: string, describe: Describe) {
    this.#root = root;
    this.#describe = describe;
  }

  /** What the names lead to below the directory. */
  find(segments: readonly string[]): Promise<Found> {
    const key = segments.join('/');
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#load(key, segments);
    if (entry.file.content === null) return this.#reopen(key, entry);
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject };
      if (entry.checking === null) this.#check(key, entry, [waiting]);
      else entry.next.push(waiting);
    });
  }

  /** One look at the file for all that ask for it at the same time; those that come during it are told by the next look. */
  #check(key: string, entry: Entry, waiting: Waiting[]): void {
    entry.checking = waiting;
    statOf(entry.path, (error, stats) => {
      const next = entry.next;
      entry.next = [];
      entry.checking = null;
      if (error === null && sameContent(stats, entry.file.stats)) {
        const found = { file: entry.file, handle: null };
        for (const { resolve } of waiting) resolve(found);
        if (next.length > 0) this.#check(key, entry, next);
        return;
      }
      // Each gets a file of its own to close.
      for (const asking of [...waiting, ...next]) void this.#loadFor(asking, key, entry.segments);
    });
  }

  async #loadFor({ resolve, reject }: Waiting, key: string, segments: readonly string[]): Promise<void> {
    try {
      resolve(await this.#load(key, segments));
    } catch (error) {
      reject(error);
    }
  }

  async #load(key: string, segments: readonly string[]): Promise<Found> {
    const opened = await openBelow(this.#root, segments);
    if (opened === null || opened === 'directory') return opened;
    const { handle, stats } = opened;
    let kept = false;
    try {
      const content = stats.size <= MAX_KEPT_BYTES ? await readWhole(handle, stats.size) : null;
      const file = new StoredFile(stats, content, this.#describe(segments));
      // A content that is not as long as the file was changes at this moment: it is sent, and not kept.
      if (content === null || content.length === stats.size) {
        const asked = join(this.#root, ...segments);
        this.#entries.set(key, { file, segments, path: asked, checking: null, next: [] });
      }
      kept = content === null;
      return { file, handle: content === null ? handle : null };
    } finally {
      if (!kept) await handle.close();
    }
  }

  /** A large file: opened anew for each answer, and known already where it is the same. */
  async #reopen(key: string, entry: Entry): Promise<Found> {
    const handle = await openUnchanged(entry.path, entry.file.stats);
    return handle === null ? this.#load(key, entry.segments) : { file: entry.file, handle };
  }
}

/** Up to `size` bytes: fewer where the file was cut meanwhile. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer> {
  const content = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(content, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return content.subarray(0, length);
}
