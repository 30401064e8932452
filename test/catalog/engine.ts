// A catalog over a PostgreSQL in this process, with the real schema and the real session, for tests of what statements
// mean to PostgreSQL. No test itself.
import { PGlite } from '@electric-sql/pglite';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { CatalogRows } from '../../src/catalog/catalog-rows.ts';
import type { SqlCall } from '../../src/database/call.ts';
import { installSchema } from '../../src/database/schema-installation.ts';
import {
  REFUSED_RESPONSE,
  type ExchangeOptions,
  type LinkReceiver,
  type SessionLink,
} from '../../src/database/session-link.ts';
import { Session } from '../../src/database/session.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import type { LocalFile } from '../../src/web/local-files.ts';
import type { Observation } from '../../src/observe/observation.ts';

/** Carries exchanges to the engine at once; refuses those with an old epoch, as the real links do. */
class InProcessLink implements SessionLink {
  readonly guardsEpoch = true;
  readonly resetsSession = false;
  readonly #db: PGlite;
  readonly #epoch: () => number;
  #receiver: LinkReceiver | null = null;

  constructor(db: PGlite, epoch: () => number) {
    this.#db = db;
    this.#epoch = epoch;
  }

  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  send(bytes: Buffer, options: ExchangeOptions): void {
    const message = new Uint8Array(bytes);
    const refused = options.epoch !== null && options.epoch < this.#epoch();
    const answer = refused
      ? Buffer.from([REFUSED_RESPONSE, 0, 0, 0, 4])
      : Buffer.from(this.#db.execProtocolRawSync(message));
    queueMicrotask(() => this.#receiver?.receive(answer));
  }

  close(reason: string): void {
    throw new Error(reason);
  }
}

export interface Engine {
  readonly catalog: Catalog;
  /** The catalog with answers that say what went wrong. */
  readonly devCatalog: Catalog;
  readonly observations: Observation[];
  readonly calls: SqlCall[];
  sql(text: string): Promise<void>;
  /** The value of a query for one value, as text. */
  value(text: string): Promise<string | null>;
  proxied: { url: string; preserveHost: boolean }[];
  readonly files: readonly LocalFile[];
  close(): Promise<void>;
}

export async function openEngine(): Promise<Engine> {
  const db = await PGlite.create();
  await installSchema(
    {
      exec: (text) => db.exec(text),
      query: async (text) => (await db.query<Record<string, unknown>>(text)).rows,
    },
    { noInit: true, initAddress: '127.0.0.1', initPort: 0 },
  );
  let epoch = 0;
  const observations: Observation[] = [];
  const calls: SqlCall[] = [];
  const proxied: Engine['proxied'] = [];
  const files: LocalFile[] = [];
  const session = new Session(new InProcessLink(db, () => epoch), {
    notice: () => {},
    notification: () => {},
    progressed: () => {},
    lost: (loss) => {
      throw new Error(JSON.stringify(loss));
    },
  });
  const readEpoch = async (): Promise<void> => {
    const { rows } = await db.query<{ epoch: string }>('select howdah.epoch()::text as epoch');
    epoch = Number(rows[0]?.epoch);
  };
  const options = {
    loadRows: async () => {
      await readEpoch();
      const { rows } = await db.query<{ catalog: CatalogRows }>('select howdah.catalog() as catalog');
      const [first] = rows;
      if (first === undefined) throw new Error('no catalog');
      return first.catalog;
    },
    dispatcher: {
      dispatch: (call: SqlCall) => {
        calls.push(call);
        session.call(call);
      },
    },
    observer: { observe: (observation: Observation) => void observations.push(observation) },
    proxy: (exchange: { fail(status: number): void }, _body: Buffer, target: Engine['proxied'][number]) => {
      proxied.push(target);
      exchange.fail(599);
    },
    file: async (exchange: Exchange, file: LocalFile) => {
      files.push(file);
      exchange.fail(598);
    },
    maxBodyBytes: 1_000_000,
    maxResultBytes: 1_000_000,
    handlerTimeoutMs: 30_000,
    dev: false,
  };
  const catalog = new Catalog(options);
  return {
    catalog,
    devCatalog: new Catalog({ ...options, dev: true }),
    observations,
    calls,
    proxied,
    files,
    sql: async (text) => {
      await db.exec(text);
      await readEpoch();
    },
    value: async (text) => {
      const { rows } = await db.query<{ value: string | null }>(`select (${text})::text as value`);
      return rows[0]?.value ?? null;
    },
    close: () => db.close(),
  };
}
