// Keeps the open sockets in line with omni_httpd.listeners: reads the rows, applies them, writes the ports that this node has back
// and records the reload (omni_httpd.md §5.3). When to reload is told from outside.
import type { ListenerRow } from '../catalog/catalog-rows.ts';
import type { SqlResult } from '../database/exchange-result.ts';
import { quoteLiteral } from '../database/session-reset.ts';
import type { Observer } from '../observe/observation.ts';
import type { CertificateRow, Certificates } from './certificates.ts';
import type { ListenerResult, ListenerSet } from './listener-set.ts';
import type { NodeIdentity } from './node-identity.ts';

/** Notified by omni_httpd.reload_configuration(), and so by each change of the listeners. */
export const CONFIGURATION_CHANNEL = 'omni_httpd_configuration';

/** What of a database is needed here. */
export interface ListenerDatabase {
  query(text: string, parameters?: readonly (string | null)[]): Promise<SqlResult>;
  exec(text: string): Promise<unknown>;
}

/** The port of each row that this node has in the database, as of its last report. */
type PortsBefore = ReadonlyMap<number, number>;

/** `applied` runs in each reload, before it counts as done. */
export class ListenerConfiguration {
  readonly #database: ListenerDatabase;
  readonly #listeners: ListenerSet;
  readonly #certificates: Certificates;
  readonly #node: NodeIdentity;
  readonly #observer: Observer;
  readonly #applied: () => Promise<void>;
  #running: Promise<void> | null = null;
  #refused: string | null = null;
  #asked = false;

  constructor(
    database: ListenerDatabase,
    listeners: ListenerSet,
    certificates: Certificates,
    node: NodeIdentity,
    observer: Observer,
    applied: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#database = database;
    this.#listeners = listeners;
    this.#certificates = certificates;
    this.#node = node;
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
    const { rows, before } = await this.#read();
    this.#listeners.useCertificates(await this.#certificates.load(await this.#readCertificates()));
    const { results, refused } = await this.#listeners.apply(rows, asked);
    if (refused) this.#refuse(results.flatMap(reasonsOf).join('; '));
    else this.#refused = null;
    if (asked) await this.#applied();
    const ports = this.#listeners.ports.map(({ listener, port }) => ({
      listener,
      port,
      opened: port !== before.get(listener),
    }));
    const { id, ...identity } = this.#node;
    const said = [id, JSON.stringify(identity), JSON.stringify(ports)].map(quoteLiteral).join(', ');
    // The trigger of listeners asks for no reload while howdah.server_write is on.
    await this.#database.exec(
      `begin; set local howdah.server_write = 'on'; select howdah.report_ports(${said});
       select howdah.record_reload(${asked}); commit`,
    );
    return results;
  }

  #refuse(reason: string): void {
    this.#refused = reason;
    this.#observer.observe({ kind: 'configuration-refused', reason });
  }

  async #read(): Promise<{ rows: ListenerRow[]; before: PortsBefore }> {
    const { id: node, host } = this.#node;
    const { rows } = await this.#database.query(
      `select
         id, host(address), port, effective_port, protocol,
         (select served.effective_port from howdah.node_listeners as served
          where served.node = $1::uuid and served.listener = listeners.id),
         howdah.remembered_ports($2::text, $1::uuid, id)
       from omni_httpd.listeners order by id`,
      [node, host],
    );
    const before = new Map<number, number>();
    const read = rows.map(([id, address, port, effectivePort, protocol, own, remembered]): ListenerRow => {
      if (own !== null) before.set(Number(id), Number(own));
      // What the row shows may be another node's.
      const known = [own ?? [], JSON.parse(remembered ?? '[]') as number[], effectivePort ?? []]
        .flat()
        .map(Number);
      return {
        id: Number(id),
        address: address ?? '',
        port: Number(port),
        effectivePort: known[0] ?? 0,
        rememberedPorts: known.slice(1),
        protocol: protocol === 'https' ? 'https' : 'http',
      };
    });
    return { rows: read, before };
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
