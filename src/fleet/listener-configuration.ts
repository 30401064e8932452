// Keeps the open sockets in line with omni_httpd.listeners: reads the rows, applies them, writes effective_port back and
// records the reload (omni_httpd.md §5.3). When to reload is told from outside.
import type { ListenerRow } from '../catalog/catalog-rows.ts';
import type { SqlResult } from '../database/exchange-result.ts';
import type { Observer } from '../observe/observation.ts';
import type { CertificateRow, Certificates } from './certificates.ts';
import type { ListenerResult, ListenerSet } from './listener-set.ts';

/** Notified by omni_httpd.reload_configuration(), and so by each change of the listeners. */
export const CONFIGURATION_CHANNEL = 'omni_httpd_configuration';

/** What of a database is needed here. */
export interface ListenerDatabase {
  query(text: string): Promise<SqlResult>;
  exec(text: string): Promise<unknown>;
}

/** `applied` runs in each reload, before it counts as done. */
export class ListenerConfiguration {
  readonly #database: ListenerDatabase;
  readonly #listeners: ListenerSet;
  readonly #certificates: Certificates;
  readonly #observer: Observer;
  readonly #applied: () => Promise<void>;
  #running: Promise<void> | null = null;
  #refused: string | null = null;
  #asked = false;

  constructor(
    database: ListenerDatabase,
    listeners: ListenerSet,
    certificates: Certificates,
    observer: Observer,
    applied: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#database = database;
    this.#listeners = listeners;
    this.#certificates = certificates;
    this.#observer = observer;
    this.#applied = applied;
  }

  /** Why the listeners as the database has them are not in force, and the former ones are; null: they are. */
  get refused(): string | null {
    return this.#refused;
  }

  /** The first load, whose failures are the caller's to judge. */
  async load(): Promise<readonly ListenerResult[]> {
    return this.#apply(false);
  }

  /** Reloads soon; requests that come while one is under way share the one after it. */
  reload(): void {
    this.#asked = true;
    this.#running ??= this.#reloadWhileAsked().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when no reload is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #reloadWhileAsked(): Promise<void> {
    while (this.#asked) {
      this.#asked = false;
      try {
        await this.#apply(true);
      } catch (error) {
        // The open sockets stay as they are; the next change, or reload_configuration(), tries again.
        this.#refuse(error instanceof Error ? error.message : String(error));
      }
    }
  }

  async #apply(asked: boolean): Promise<readonly ListenerResult[]> {
    const rows = await this.#read();
    this.#listeners.useCertificates(await this.#certificates.load(await this.#readCertificates()));
    const { results, refused } = await this.#listeners.apply(rows, asked);
    if (refused) this.#refuse(results.flatMap(reasonsOf).join('; '));
    else this.#refused = null;
    if (asked) await this.#applied();
    const before = new Map(rows.map((row) => [row.id, row.effectivePort]));
    const changed = refused ? [] : results.filter(({ id, port }) => port !== null && port !== before.get(id));
    const updates = changed.map(
      ({ id, port }) => `update omni_httpd.listeners set effective_port = ${port} where id = ${id};`,
    );
    // The trigger of listeners asks for no reload while howdah.server_write is on.
    await this.#database.exec(
      `begin; set local howdah.server_write = 'on'; ${updates.join(' ')} select howdah.record_reload(${asked}); commit`,
    );
    return results;
  }

  #refuse(reason: string): void {
    this.#refused = reason;
    this.#observer.observe({ kind: 'configuration-refused', reason });
  }

  async #read(): Promise<ListenerRow[]> {
    const { rows } = await this.#database.query(
      'select id, host(address), port, effective_port, protocol from omni_httpd.listeners order by id',
    );
    return rows.map(([id, address, port, effectivePort, protocol]) => ({
      id: Number(id),
      address: address ?? '',
      port: Number(port),
      effectivePort: Number(effectivePort),
      protocol: protocol === 'https' ? 'https' : 'http',
    }));
  }

  async #readCertificates(): Promise<CertificateRow[]> {
    const { rows } = await this.#database.query(
      `select id, to_json(host_names), certificate, certificate_file, private_key, private_key_file
       from howdah.certificates order by id`,
    );
    return rows.map(([id, names, certificate, certificateFile, privateKey, privateKeyFile]) => ({
      id: Number(id),
      hostNames: JSON.parse(names ?? '[]') as string[],
      certificate: certificate ?? null,
      certificateFile: certificateFile ?? null,
      privateKey: privateKey ?? null,
      privateKeyFile: privateKeyFile ?? null,
    }));
  }
}

function reasonsOf({ address, port, failures }: ListenerResult): string[] {
  return port === null ? [`${address}: ${failures.at(-1)?.message ?? 'not served'}`] : [];
}
