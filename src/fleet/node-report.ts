// Writes what a server says of itself into howdah.nodes, for the views howdah.workers, connections and sessions. Once in two
// seconds while something changes; on a PostgreSQL server also without a change, so that others see that it is alive.
import { setTimeout } from 'node:timers/promises';
import type { SqlResult } from '../database/exchange-result.ts';
import type { Observer } from '../observe/observation.ts';
import type { NodePort } from './listener-set.ts';
import { ownIdentity, type NodeIdentity } from './node-identity.ts';
import type { WorkerState } from './worker-child.ts';
import type { WorkerStatus } from './worker-messages.ts';

/** A worker as howdah.workers has it; of one that has not told of itself yet, only what the master knows. */
export interface WorkerReport extends Partial<WorkerStatus> {
  readonly slot: number;
  readonly pid: number | null;
  readonly state: WorkerState | 'failed';
  readonly startedAt: string | null;
  readonly restarts: number;
}

export interface NodeDescription {
  readonly state: 'serving' | 'draining';
  readonly listeners: readonly string[];
  readonly ports: readonly NodePort[];
  readonly refusedConfiguration: string | null;
  readonly workers: readonly WorkerReport[];
}

interface ReportDatabase {
  query(text: string, parameters?: readonly (string | null)[]): Promise<SqlResult>;
}

export interface NodeReportOptions {
  readonly observer: Observer;
  readonly version: string;
  /** Whether there may be other servers of the database, which are to see that this one is alive. */
  readonly keepsAlive: boolean;
}

const LOOK_EVERY_MS = 2000;

/** A row that is a minute old counts as left behind. */
const WRITE_EVERY_MS = 10_000;

const LEAVE_TIMEOUT_MS = 1000;

export class NodeReport {
  readonly identity: NodeIdentity;
  readonly #database: ReportDatabase;
  readonly #observer: Observer;
  readonly #describe: () => NodeDescription;
  readonly #keepsAlive: boolean;
  #timer: NodeJS.Timeout | null = null;
  #written = '';
  #writtenMs = 0;
  #failure = '';
  #writing: Promise<void> | null = null;

  constructor(
    database: ReportDatabase,
    { observer, version, keepsAlive }: NodeReportOptions,
    describe: () => NodeDescription,
  ) {
    this.#database = database;
    this.#observer = observer;
    this.#keepsAlive = keepsAlive;
    this.identity = ownIdentity(version);
    this.#describe = describe;
  }

  start(): void {
    this.#timer = setInterval(() => this.write(), LOOK_EVERY_MS);
    this.#timer.unref();
    this.write();
  }

  /** Writes now if something has changed, unless it is being written. */
  write(): void {
    if (this.#writing !== null) return;
    const description = this.#describe();
    const text = JSON.stringify(description);
    const isDue = this.#keepsAlive && Date.now() - this.#writtenMs > WRITE_EVERY_MS;
    if (text === this.#written && !isDue) return;
    const { id, ...identity } = this.identity;
    const report = { ...identity, ...description };
    this.#writing = this.#database
      .query('select howdah.report_node($1::uuid, $2::jsonb)', [id, JSON.stringify(report)])
      .then(
        () => {
          this.#written = text;
          this.#writtenMs = Date.now();
          this.#failure = '';
        },
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#writing = null;
      });
  }

  /** The row goes, if the database is there; if not, it goes when it is a minute old. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const left = this.#leave();
    await Promise.race([left, setTimeout(LEAVE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #leave(): Promise<void> {
    await this.#writing;
    await this.#database
      .query('select howdah.leave_node($1::uuid)', [this.identity.id])
      .catch(() => undefined);
  }

  /** What goes on failing in the same way is told once. */
  #failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#failure) return;
    this.#failure = message;
    this.#observer.observe({ kind: 'internal-error', where: 'report to howdah.nodes', error });
  }
}
