// The options of staticFiles(), checked, with their defaults; and where the files of a package are. Serves nothing.
import { statSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FieldLines } from '../../protocol/http/field-lines.ts';
import { isFieldValue, isToken } from '../../protocol/http/grammar.ts';

/** What staticFiles() serves, and how. */
export interface StaticOptions {
  /** Directory that is served, with all below it; relative to the working directory, or to `package`. */
  readonly root?: string;
  /** One file, whatever the path is. Instead of `root`. */
  readonly file?: string;
  /** Name of an installed package: `root` or `file` is in its directory, which is the default of `root`. */
  readonly package?: string;
  /** Group of the route's pattern that names the file; without such a group the whole path does. Default `0`, the first `*`. */
  readonly group?: string;
  /** Files that answer for a directory, the first that is there; false: none. Default `index.html`. */
  readonly index?: string | readonly string[] | false;
  /** Whether a directory without such a file is answered with the names in it. Default false. */
  readonly listing?: boolean;
  /**
   * Files and directories whose name begins with a dot: `hidden` (404), `refused` (403) or `served`. Default `hidden`.
   * `.well-known` is served in any case.
   */
  readonly dotFiles?: 'hidden' | 'refused' | 'served';
  /** Whether FILE.br, FILE.zst and FILE.gz go out for FILE, where they are there, no older, and the client accepts them. Default false. */
  readonly precompressed?: boolean;
  /** Value of cache-control; or a function of the path below the root. Default: none is sent. */
  readonly cacheControl?: string | ((path: string) => string | undefined);
  /** More fields for each answer with a file; or a function of the path below the root. */
  readonly headers?: Readonly<Record<string, string>> | ((path: string) => Readonly<Record<string, string>>);
  /** Content types by file name extension (`'.md': 'text/x-markdown'`), before those that are known. */
  readonly types?: Readonly<Record<string, string>>;
  /** What text files are in. Default utf-8. */
  readonly charset?: string;
  /** File below the root that answers, with 200, for what is not there and looks like a page: for applications that route in the browser. */
  readonly fallback?: string;
  /** File below the root that is sent, with 404, for what is not there. Default: the text of any 404. */
  readonly notFound?: string;
}

export interface StaticSettings {
  readonly root: string;
  /** Name of the one file in `root`, or null. */
  readonly file: string | null;
  readonly group: string;
  readonly index: readonly string[];
  readonly listing: boolean;
  readonly dotFiles: 'hidden' | 'refused' | 'served';
  readonly precompressed: boolean;
  readonly fieldsOf: (path: string) => FieldLines;
  readonly types: ReadonlyMap<string, string>;
  readonly charset: string;
  readonly fallback: readonly string[] | null;
  readonly notFound: readonly string[] | null;
}

/** @throws TypeError with what is wrong: an option that is none, a root that is no directory, a package that is not there */
export function staticSettings(options: StaticOptions): StaticSettings {
  check(options);
  const base = options.package === undefined ? process.cwd() : packageDirectory(options.package);
  const file = options.file === undefined ? null : resolve(base, options.file);
  const root = file === null ? resolve(base, options.root ?? '.') : dirname(file);
  const found = statSync(file ?? root, { throwIfNoEntry: false });
  if (file === null && found?.isDirectory() !== true) throw wrong(`${root} is no directory`);
  if (file !== null && found?.isFile() !== true) throw wrong(`${file} is no file`);
  const { index = ['index.html'], charset = 'utf-8', types = {}, fallback, notFound } = options;
  return {
    root,
    file: file === null ? null : basename(file),
    group: options.group ?? '0',
    index: index === false ? [] : typeof index === 'string' ? [index] : index,
    listing: options.listing ?? false,
    dotFiles: options.dotFiles ?? 'hidden',
    precompressed: options.precompressed ?? false,
    fieldsOf: fieldsOf(options),
    types: new Map(
      Object.entries(types).map(([name, type]) => [name.replace(/^\./, '').toLowerCase(), type]),
    ),
    charset,
    fallback: namesOf(fallback),
    notFound: namesOf(notFound),
  };
}

const wrong = (what: string): TypeError => new TypeError(`staticFiles(): ${what}`);

type Kind = 'text' | 'switch';
const KINDS: Readonly<Partial<Record<keyof StaticOptions, Kind>>> = {
  root: 'text',
  file: 'text',
  package: 'text',
  group: 'text',
  charset: 'text',
  fallback: 'text',
  notFound: 'text',
  listing: 'switch',
  precompressed: 'switch',
};
const OTHERS: readonly string[] = ['index', 'dotFiles', 'cacheControl', 'headers', 'types'];

function check(options: unknown): asserts options is StaticOptions {
  if (typeof options !== 'object' || options === null) throw wrong('options are an object');
  for (const [name, value] of Object.entries(options)) {
    const kind = KINDS[name as keyof StaticOptions];
    if (kind === undefined && !OTHERS.includes(name)) throw wrong(`there is no option ${name}`);
    if (kind === 'text' && typeof value !== 'string') throw wrong(`${name} is a text`);
    if (kind === 'switch' && typeof value !== 'boolean') throw wrong(`${name} is true or false`);
  }
  const { root, file, package: name, dotFiles } = options as StaticOptions;
  if (root === undefined && file === undefined && name === undefined)
    throw wrong('root, file or package is needed');
  if (root !== undefined && file !== undefined) throw wrong('root and file exclude one another');
  if (dotFiles !== undefined && !['hidden', 'refused', 'served'].includes(dotFiles)) {
    throw wrong('dotFiles is hidden, refused or served');
  }
}

function namesOf(path: string | undefined): readonly string[] | null {
  return path === undefined ? null : path.split('/').filter((name) => name !== '');
}

function packageDirectory(name: string): string {
  let found: string | undefined;
  try {
    found = findPackageJSON(name, pathToFileURL(join(process.cwd(), 'any.js')));
  } catch (error) {
    throw new TypeError(`staticFiles(): there is no package ${name}`, { cause: error });
  }
  if (found === undefined) throw wrong(`there is no package ${name}`);
  return dirname(found);
}

function fieldsOf({ cacheControl, headers = {} }: StaticOptions): (path: string) => FieldLines {
  const make = (path: string): FieldLines => {
    const fields: string[] = [];
    const control = typeof cacheControl === 'function' ? cacheControl(path) : cacheControl;
    if (control !== undefined) fields.push('cache-control', control);
    for (const [name, value] of Object.entries(typeof headers === 'function' ? headers(path) : headers)) {
      fields.push(name.toLowerCase(), value);
    }
    for (let i = 0; i < fields.length; i += 2) {
      if (
        !isToken(fields[i] ?? '') ||
        typeof fields[i + 1] !== 'string' ||
        !isFieldValue(fields[i + 1] ?? '')
      ) {
        throw wrong(`the field ${JSON.stringify(fields[i])} cannot be sent`);
      }
    }
    return fields;
  };
  // What does not depend on the path is made, and found to be wrong, now.
  if (typeof cacheControl === 'function' || typeof headers === 'function') return make;
  const fields = make('');
  return () => fields;
}
