// `howdah dev`: has what is served follow the files that it is made of. SQL files run when their content is another than it was, in
// order; the application is loaded anew when one of its modules has changed. What goes wrong is told, and shown in place of every page
// until it is put right. Does not start the server.
import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { HowdahError } from '../errors.ts';
import type { ApplicationConfig } from '../web/define-application.ts';
import { application as checkApplication } from '../web/define-application.ts';
import { route } from '../web/route.ts';
import { applicationFiles, loadApplication } from './application-module.ts';
import { errorPage } from './dev-error-page.ts';
import type { Preparation } from './serve-options.ts';
import { runSqlFile, sqlFiles } from './sql-files.ts';

export interface DevEvents {
  /** A file of SQL ran, or the application was loaded. */
  done(what: string): void;
  failed(error: unknown): void;
}

/** What an editor does when it saves is over after this time. */
const SETTLE_MS = 50;

/** Directories that hold no sources. */
const IGNORED = /(?:^|[\\/])(?:node_modules|\.[^\\/]+)(?:[\\/]|$)/;

/** Before every other route. */
const FIRST = 2 ** 31 - 1;

export class DevSession {
  readonly #module: string | null;
  readonly #sqlPaths: readonly string[];
  readonly #events: DevEvents;
  readonly #watchers: FSWatcher[] = [];
  readonly #hashes = new Map<string, string>();
  /** What is told when all of it is in force: whoever reads it may ask at once. */
  readonly #news: (() => void)[] = [];
  #server: Preparation | null = null;
  #application: ApplicationConfig | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #moduleFailure: unknown = null;
  #sqlFailure: unknown = null;

  constructor(module: string | null, sqlPaths: readonly string[], events: DevEvents) {
    this.#module = module === null ? null : resolve(module);
    this.#sqlPaths = sqlPaths;
    this.#events = events;
  }

  /** Loads the application for the first time: what the server is started with. One that fails is shown as a page. */
  async load(): Promise<ApplicationConfig | null> {
    if (this.#module === null) return null;
    await this.#loadModule();
    return this.#served();
  }

  /** Runs the files of SQL, and follows all files from now on. */
  async start(server: Preparation): Promise<void> {
    this.#server = server;
    const directories = new Set(this.#sqlPaths.map((path) => resolve(path)));
    if (this.#module !== null) directories.add(dirname(this.#module));
    for (const directory of directories) this.#watch(directory);
    await this.#look();
  }

  async stop(): Promise<void> {
    for (const watcher of this.#watchers) watcher.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#again = false;
    await this.#looking;
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { recursive: true }, (_, name) => {
        if (name === null || !IGNORED.test(name)) this.#changed();
      });
      watcher.on('error', (error) => this.#events.failed(error));
      this.#watchers.push(watcher);
    } catch (error) {
      this.#events.failed(error);
    }
  }

  #changed(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#look();
    }, SETTLE_MS);
  }

  /** Looks at all files; changes that come meanwhile are looked at after that. */
  #look(): Promise<void> {
    if (this.#looking !== null) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookOnce()
      .catch((error: unknown) => this.#events.failed(error))
      .finally(() => {
        this.#looking = null;
        if (!this.#again) return;
        this.#again = false;
        void this.#look();
      });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const before = this.#moduleFailure ?? this.#sqlFailure;
    await this.#applySql();
    const reloaded = this.#module !== null && (await this.#modulesChanged());
    if (reloaded) await this.#loadModule();
    if (reloaded || before !== (this.#moduleFailure ?? this.#sqlFailure)) {
      this.#server?.useApplication(this.#served());
    }
    for (const tell of this.#news.splice(0)) tell();
  }

  #tellLater(tell: () => void): void {
    this.#news.push(tell);
  }

  #served(): ApplicationConfig | null {
    const failure = this.#moduleFailure ?? this.#sqlFailure;
    if (failure === null) return this.#application;
    const page = errorPage(failure);
    const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
    return checkApplication({
      ...(this.#application?.listeners === undefined ? {} : { listeners: this.#application.listeners }),
      routes: [route('/*', { priority: FIRST }, () => new Response(page, { status: 500, headers }))],
    });
  }

  async #applySql(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    try {
      for (const path of this.#sqlPaths) {
        for (const file of await sqlFiles(path)) {
          const hash = digest(await readFile(file));
          const rows = await server.query('select hash from howdah.applied_files where path = $1', [file]);
          if (rows[0]?.[0] === hash) continue;
          await runSqlFile(file, (text) => server.runScript(text));
          await server.query(
            `insert into howdah.applied_files (path, hash) values ($1, $2)
             on conflict (path) do update set hash = excluded.hash, applied_at = now()`,
            [file, hash],
          );
          this.#tellLater(() => this.#events.done(`ran ${file}`));
        }
      }
      this.#sqlFailure = null;
    } catch (error) {
      // The same failure of a file that has not changed is told once.
      if (!sameFailure(this.#sqlFailure, error)) this.#tellLater(() => this.#events.failed(error));
      this.#sqlFailure = sameFailure(this.#sqlFailure, error) ? this.#sqlFailure : error;
    }
  }

  async #modulesChanged(): Promise<boolean> {
    for (const file of applicationFiles()) {
      const hash = await readFile(file).then(digest, () => '');
      if (this.#hashes.get(file) !== hash) return true;
    }
    return false;
  }

  async #loadModule(): Promise<void> {
    const module = this.#module;
    if (module === null) return;
    try {
      this.#application = await loadApplication(module);
      this.#moduleFailure = null;
      // The first time it is what the server is started with.
      if (this.#server !== null) this.#tellLater(() => this.#events.done(`loaded ${shortPath(module)}`));
    } catch (error) {
      this.#moduleFailure = error;
      this.#tellLater(() => this.#events.failed(error));
    }
    this.#hashes.clear();
    for (const file of applicationFiles()) {
      this.#hashes.set(file, await readFile(file).then(digest, () => ''));
    }
  }
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function sameFailure(one: unknown, other: unknown): boolean {
  return one instanceof HowdahError && other instanceof HowdahError && one.message === other.message;
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith(`..${sep}`) ? path : short;
}
