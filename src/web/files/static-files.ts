// staticFiles(): a route target that answers with the files below a directory (RFC 9110: conditional requests, ranges, HEAD). What it
// needs of each is in the files beside this one.
import { getField, getFieldValues, type FieldLines } from '../../protocol/http/field-lines.ts';
import { chooseEncoding } from '../../protocol/http/negotiation.ts';
import { parseWeighted } from '../../protocol/http/weighted.ts';
import { contentTypeOf } from '../content-type.ts';
import type { Exchange } from '../exchange.ts';
import type { Context, RouteTarget } from '../handler.ts';
import { isConditional, planContent, wholeOf } from './content-plan.ts';
import { directoryPage } from './directory-list.ts';
import { FileStore, type FoundFile } from './file-store.ts';
import { relativePath, type RelativePath } from './relative-path.ts';
import { sendFromFile, sendFromMemory } from './send-content.ts';
import { staticSettings, type StaticOptions, type StaticSettings } from './static-options.ts';

export type { StaticOptions } from './static-options.ts';

/** Content coding by the extension of a file that is compressed already, in order of preference. */
const PRECOMPRESSED = { zstd: '.zst', br: '.br', gzip: '.gz' } as const;
type Precompressed = keyof typeof PRECOMPRESSED;
const CODINGS = Object.keys(PRECOMPRESSED) as Precompressed[];

/**
 * Serves files. Answers GET and HEAD.
 * @throws TypeError where an option is wrong, or the root is no directory
 */
export function staticFiles(options: StaticOptions): RouteTarget {
  return new StaticFiles(staticSettings(options));
}

class StaticFiles implements RouteTarget {
  readonly methods = ['GET', 'HEAD'];
  readonly #settings: StaticSettings;
  readonly #store: FileStore;
  readonly #compressed: ReadonlyMap<string, FileStore>;

  constructor(settings: StaticSettings) {
    this.#settings = settings;
    this.#store = this.#storeOf(null);
    this.#compressed = new Map(
      settings.precompressed ? CODINGS.map((coding) => [coding, this.#storeOf(coding)]) : [],
    );
  }

  #storeOf(coding: Precompressed | null): FileStore {
    const { root, types, charset, fieldsOf, precompressed } = this.#settings;
    return new FileStore(root, (segments) => {
      const path = segments.join('/');
      const name = coding === null ? path : path.slice(0, -PRECOMPRESSED[coding].length);
      const extension = /\.([^./]*)$/.exec(name)?.[1]?.toLowerCase() ?? '';
      return {
        contentType: types.get(extension) ?? contentTypeOf(name, charset),
        contentEncoding: coding,
        fields: [...fieldsOf(name), ...(precompressed ? ['vary', 'accept-encoding'] : [])],
      };
    });
  }

  /** What it rejects with, an unexpected error of the file system or of a function among the options, is for the caller to tell. */
  handleExchange(exchange: Exchange, context: Pick<Context, 'groups'>): void | Promise<void> {
    const { file, group, dotFiles } = this.#settings;
    if (file !== null) {
      return this.#answer(exchange, { segments: [file], directory: false, hidden: false });
    }
    const path = relativePath(context.groups[group] ?? exchange.head.path);
    if (path !== null && (!path.hidden || dotFiles === 'served')) return this.#answer(exchange, path);
    if (path === null || dotFiles === 'hidden') return this.#notFound(exchange);
    return exchange.fail(403);
  }

  async #answer(exchange: Exchange, { segments, directory }: RelativePath): Promise<void> {
    const found = directory ? 'directory' : await this.#file(exchange, segments);
    if (found === null) return this.#missing(exchange);
    if (found !== 'directory') return send(exchange, found);
    // A path that ends in a slash may name no directory at all.
    const isThere = directory && segments.length > 0 ? await this.#store.find(segments) : 'directory';
    if (isThere !== 'directory') {
      await isThere?.handle?.close();
      return this.#missing(exchange);
    }
    return this.#directory(exchange, segments, directory);
  }

  async #directory(exchange: Exchange, segments: readonly string[], slash: boolean): Promise<void> {
    const { index, listing } = this.#settings;
    if (!slash) return redirectToSlash(exchange, segments);
    for (const name of index) {
      const found = await this.#file(exchange, [...segments, name]);
      if (found !== null && found !== 'directory') return send(exchange, found);
    }
    const page = listing ? await this.#list(segments) : null;
    if (page === null) return this.#missing(exchange);
    const body = exchange.head.method === 'HEAD' ? null : page;
    const length = ['content-length', String(Buffer.byteLength(page))];
    const fields = ['content-type', 'text/html; charset=utf-8', ...(body === null ? length : [])];
    exchange.respond({ status: 200, fields, body });
  }

  #list(segments: readonly string[]): Promise<string | null> {
    const { root, dotFiles } = this.#settings;
    const title = `/${segments.map((name) => `${name}/`).join('')}`;
    return directoryPage(root, segments, title, (name) => dotFiles === 'served' || !name.startsWith('.'));
  }

  /** The file, or what it is when it is compressed already. */
  async #file(exchange: Exchange, segments: readonly string[]): Promise<FoundFile | 'directory' | null> {
    const found = await this.#store.find(segments);
    if (found === null || found === 'directory' || this.#compressed.size === 0) return found;
    const compressed = await this.#compressedFile(exchange.head.fields, segments, found);
    if (compressed === null) return found;
    await found.handle?.close();
    return compressed;
  }

  async #compressedFile(
    request: FieldLines,
    segments: readonly string[],
    plain: FoundFile,
  ): Promise<FoundFile | null> {
    if (getField(request, 'accept-encoding') === undefined) return null;
    const accepted = parseWeighted(getFieldValues(request, 'accept-encoding').join(',')) ?? [];
    const last = segments.at(-1) ?? '';
    let offered = CODINGS;
    while (offered.length > 0) {
      const coding = chooseEncoding(accepted, offered) as Precompressed | 'identity' | null;
      if (coding === null || coding === 'identity') return null;
      const names = [...segments.slice(0, -1), last + PRECOMPRESSED[coding]];
      const found = (await this.#compressed.get(coding)?.find(names)) ?? null;
      if (found !== null && found !== 'directory') {
        // What is older was made of another content.
        if (found.file.stats.mtimeMs >= plain.file.stats.mtimeMs) return found;
        await found.handle?.close();
      }
      offered = offered.filter((other) => other !== coding);
    }
    return null;
  }

  async #missing(exchange: Exchange): Promise<void> {
    const { fallback } = this.#settings;
    if (fallback !== null && wantsPage(exchange)) {
      const found = await this.#file(exchange, fallback);
      if (found !== null && found !== 'directory') return send(exchange, found);
    }
    return this.#notFound(exchange);
  }

  async #notFound(exchange: Exchange): Promise<void> {
    const { notFound, precompressed } = this.#settings;
    const page = notFound === null ? null : await this.#file(exchange, notFound);
    if (page === null || page === 'directory') return exchange.fail(404);
    sendNotFound(exchange, page, precompressed);
  }
}

/** Whole, whatever the conditions and ranges of the request are; and not to be kept as long as a file may be. */
function sendNotFound(exchange: Exchange, { file, handle }: FoundFile, varies: boolean): void {
  const fields = [...file.pageFields, ...(varies ? ['vary', 'accept-encoding'] : [])];
  const plan = { status: 404, fields, pieces: wholeOf(file), length: file.size };
  if (file.content !== null) sendFromMemory(exchange, plan, file.content);
  else if (handle !== null) sendFromFile(exchange, plan, handle);
}

function send(exchange: Exchange, { file, handle }: FoundFile): void {
  const { method, fields } = exchange.head;
  const { content } = file;
  if (content !== null && method === 'GET' && !isConditional(fields)) {
    exchange.respond({ status: 200, fields: file.allFields, body: content });
    return;
  }
  const plan = planContent(method, fields, file);
  if (content !== null) sendFromMemory(exchange, plan, content);
  else if (handle !== null) sendFromFile(exchange, plan, handle);
}

/** Relative to where the client is: `//host/` in a path must not become the address of another host. */
function redirectToSlash(exchange: Exchange, segments: readonly string[]): void {
  const query = exchange.head.query === null ? '' : `?${exchange.head.query}`;
  const location = `./${encodeURIComponent(segments.at(-1) ?? '')}/${query}`;
  exchange.respond({ status: 301, fields: ['location', location], body: '' });
}

/** A browser that goes to a page says so; what a page loads is missed as what it is. */
function wantsPage({ head }: Exchange): boolean {
  return /text\/html/i.test(getFieldValues(head.fields, 'accept').join(','));
}
