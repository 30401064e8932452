// One request on its way through the catalog's routes:
//
//   route ──▶ call step 1 ──▶ … ──▶ call step n ──▶ answer
//     ▲            │
//     └─ refresh ◀─┘ the catalog has moved on (nothing has run)
//
// Does not read the request and does not decide which routes run.
import type { CallResult, SqlCall, SqlError, SqlParameter } from '../database/call.ts';
import { answerAsked, askedStatus } from '../web/asked-failure.ts';
import type { Exchange } from '../web/exchange.ts';
import { requestAuthority } from '../web/request-url.ts';
import type { CallPlan, CallStep, ParameterSource } from './call-plan.ts';
import type { CatalogOptions } from './catalog-options.ts';
import { answerOutcome } from './answer-outcome.ts';
import { parameterInError } from './group-arguments.ts';
import { encodeRequest } from './request-value.ts';
import { NO_EPOCH, type RoutedRequest, type Snapshot } from './snapshot.ts';

/** Where a request finds the catalog in force. */
export interface SnapshotSource {
  readonly options: CatalogOptions;
  readonly current: Snapshot;
  refresh(): Promise<Snapshot>;
  /** Answers what no route in SQL matches; false where that is not its matter. */
  serveUnmatched(exchange: Exchange, body: Buffer): boolean;
}

/**
 * How often a request is routed anew because the catalog has moved on. Once is enough where changes are rare; with a
 * change committed for every request, giving up beats going on for ever.
 */
export const REROUTES_MAX = 8;

/**
 * What PostgreSQL says where an object that a call needs is not there or not the same any more: undefined function,
 * table, column, object, schema; a plan of another shape; a row literal that does not fit its type. A catalog that
 * is not told of such a change finds it by looking anew.
 */
const VANISHED = new Set(['42883', '42P01', '42703', '42704', '3F000', '0A000', '22P02', '42804']);

/**
 * What a handler's failure is answered with where it says more of the database's state than of the handler: the transaction is
 * rolled back, and the same request may well succeed soon. Serialization failures and deadlocks come here when running
 * again was not allowed or did not help.
 */
const PASSING_FAILURES: Readonly<Record<string, number>> = {
  '40001': 503, // serialization_failure
  '40P01': 503, // deadlock_detected
  '55P03': 503, // lock_not_available: lock_timeout, or NOWAIT
  '25006': 503, // read_only_sql_transaction: a standby, or a server that was made read-only
  '53000': 503, // insufficient_resources
  '53100': 503, // disk_full
  '53200': 503, // out_of_memory
  '53300': 503, // too_many_connections
  '53400': 503, // configuration_limit_exceeded
  '57014': 504, // query_canceled: statement_timeout, or an administrator
  '25P03': 504, // idle_in_transaction_session_timeout
  '57P04': 503, // database_dropped
};

const TRUE_BYTE = 1;

export class SqlRequest {
  readonly #catalog: SnapshotSource;
  readonly #exchange: Exchange;
  readonly #path: string;
  readonly #body: Buffer;
  #snapshot: Snapshot;
  #plan: CallPlan | null = null;
  #groups: RoutedRequest['groups'] | null = null;
  #withoutSql = false;
  #step = 0;
  #reroutes = 0;
  /** What may be ended when the client leaves. */
  #running: SqlCall | null = null;
  #watchesClient = false;
  #retriedVanished = false;
  /** Encoded outcome so far, for the next step. */
  #outcome: Buffer | null = null;
  /** The encoded request and the types that it was encoded for. */
  #value: { readonly types: Snapshot['types']; readonly bytes: Buffer } | null = null;

  constructor(catalog: SnapshotSource, exchange: Exchange, path: string, body: Buffer) {
    this.#catalog = catalog;
    this.#exchange = exchange;
    this.#path = path;
    this.#body = body;
    this.#snapshot = catalog.current;
  }

  /** Routes on the snapshot in force and calls what matches. */
  route(): void {
    const { head, scheme } = this.#exchange;
    const snapshot = this.#catalog.current;
    this.#snapshot = snapshot;
    if (snapshot.epoch === NO_EPOCH) {
      this.#reroute();
      return;
    }
    const { method, path, query } = head;
    const routed = snapshot.route({
      method,
      scheme,
      authority: requestAuthority(this.#exchange),
      path,
      query,
    });
    if (routed === null) {
      this.#exchange.fail(400, 'the target is no URL');
      return;
    }
    this.#plan = routed.plan;
    this.#groups = routed.groups;
    this.#withoutSql = routed.withoutSql;
    this.#step = 0;
    this.#outcome = null;
    this.#call();
  }

  #currentStep(): CallStep | undefined {
    return this.#plan?.steps[this.#step];
  }

  #call(): void {
    const step = this.#currentStep();
    if (step === undefined) {
      this.#answer(this.#outcome);
      return;
    }
    const { dispatcher } = this.#catalog.options;
    const call: SqlCall = {
      statement: step.statement,
      parameters: step.parameters.map((source) => this.#parameter(source)),
      // The steps after the first go on with what has been committed, whatever the catalog says by now.
      epoch: this.#step === 0 ? this.#snapshot.epoch : null,
      ...(step.followUp === null ? {} : { followUp: step.followUp }),
      resetAfter: step.resetAfter,
      interruptible: step.interruptible,
      repeatable: step.repeatable,
      complete: (result) => {
        this.#running = null;
        try {
          this.#complete(step, result);
        } catch (error) {
          this.#catalog.options.observer.observe({ kind: 'internal-error', where: 'SQL request', error });
          this.#exchange.fail(500);
        }
      },
    };
    if (step.interruptible && dispatcher.abandon !== undefined) {
      this.#running = call;
      this.#watchClient();
    }
    dispatcher.dispatch(call);
  }

  /** A client that leaves has no use for what runs. */
  #watchClient(): void {
    if (this.#watchesClient) return;
    this.#watchesClient = true;
    this.#exchange.onClose(() => {
      if (this.#running !== null) this.#catalog.options.dispatcher.abandon?.(this.#running);
    });
  }

  #parameter(source: ParameterSource): SqlParameter {
    if (source.kind === 'request') return this.#requestValue();
    if (source.kind === 'listener') return String(this.#exchange.listenerId);
    if (source.kind === 'group') return this.#groups?.get(source.route)?.[source.name] ?? null;
    return source.kind === 'row' ? source.literal : this.#outcome;
  }

  #requestValue(): Buffer {
    const { types } = this.#snapshot;
    if (this.#value !== null && this.#value.types === types) return this.#value.bytes;
    const { head, peer } = this.#exchange;
    const bytes = encodeRequest(types, {
      method: head.method,
      path: this.#path,
      query: head.query,
      body: this.#body,
      peer: peer.address === '' ? 'Unknown' : peer.address,
      fields: head.fields,
      authority: head.authority,
    });
    this.#value = { types, bytes };
    return bytes;
  }

  #complete(step: CallStep, result: CallResult): void {
    switch (result.kind) {
      case 'row':
        this.#advance(step, result.columns);
        return;
      case 'no-row':
        this.#advance(step, []);
        return;
      case 'stale':
        this.#reroute();
        return;
      case 'failed':
        this.#failed(step, result.error);
        return;
      case 'timeout':
        this.#observeTimeout(step);
        this.#exchange.fail(504);
        return;
      case 'unavailable':
        // What has been committed by an earlier step makes it no longer a request that may simply come again.
        this.#exchange.fail(this.#step === 0 ? 503 : 500);
        return;
      case 'abandoned':
        // The exchange is closed.
        return;
      case 'lost':
        this.#observeFailure(step, null, `the session went away: ${result.reason}`);
        this.#exchange.fail(500);
    }
  }

  /** `columns` are views that are valid only now. */
  #advance(step: CallStep, columns: readonly (Buffer | null)[]): void {
    const outcome = step.outcomeColumn < 0 ? null : (columns[step.outcomeColumn] ?? null);
    const stopped = step.stopColumn >= 0 && columns[step.stopColumn]?.[0] === TRUE_BYTE;
    this.#step++;
    if (stopped || this.#currentStep() === undefined) {
      // Whom nobody waits for any more needs no answer (omni_httpd.md §12).
      if (!this.#exchange.closed) this.#answer(outcome === null ? null : Buffer.from(outcome));
      return;
    }
    this.#outcome = outcome === null ? null : Buffer.from(outcome);
    this.#call();
  }

  #answer(bytes: Buffer | null): void {
    const exchange = this.#exchange;
    if (this.#withoutSql && this.#catalog.serveUnmatched(exchange, this.#body)) return;
    answerOutcome(this.#catalog.options, exchange, this.#body, bytes, (reason) => {
      this.#observeFailure(this.#plan?.steps.at(-1), null, reason);
      this.#fail500(reason);
    });
  }

  #reroute(): void {
    this.#reroutes++;
    if (this.#reroutes > REROUTES_MAX) {
      this.#exchange.fail(503, 'the catalog changes too fast');
      return;
    }
    if (this.#catalog.current !== this.#snapshot) {
      this.route();
      return;
    }
    this.#afterRefresh(() => {
      // It could not be read (somebody has locked a router), and what is known of it does not count any more.
      if (this.#catalog.current === this.#snapshot)
        this.#exchange.fail(503, 'the catalog cannot be read at present');
      else this.route();
    });
  }

  /** Goes on with a fresh catalog; 503 where there is none. */
  #afterRefresh(goOn: () => void): void {
    this.#catalog
      .refresh()
      .then(goOn, () => this.#exchange.fail(503, 'there is no catalog'))
      .catch((error: unknown) => {
        this.#catalog.options.observer.observe({ kind: 'internal-error', where: 'SQL request', error });
        this.#exchange.fail(500);
      });
  }

  #failed(step: CallStep, error: SqlError): void {
    const place = parameterInError(error);
    // A text of the client's that is none of the parameter's type: there is nothing at that path.
    if (place !== null && step.parameters[place - 1]?.kind === 'group') {
      this.#exchange.fail(404);
      return;
    }
    if (this.#plan?.atomic !== true || this.#retriedVanished || !VANISHED.has(error.code)) {
      this.#fail(step, error);
      return;
    }
    // Everything was rolled back, so it may run again, if looking anew shows other routes.
    this.#retriedVanished = true;
    const before = this.#snapshot;
    this.#afterRefresh(() => {
      if (this.#catalog.current === before) this.#fail(step, error);
      else this.route();
    });
  }

  #fail(step: CallStep, error: SqlError): void {
    const asked = askedStatus(error.code);
    if (asked !== null) {
      if (asked >= 500) this.#observeFailure(step, error, error.message);
      answerAsked(this.#exchange, asked, error.message);
      return;
    }
    this.#observeFailure(step, error, error.message);
    const status = PASSING_FAILURES[error.code] ?? 500;
    // What has been committed by an earlier step makes it no longer a request that may simply come again.
    if (status !== 500 && this.#step === 0) this.#exchange.fail(status);
    else this.#fail500(describe(error));
  }

  #fail500(detail: string): void {
    if (!this.#catalog.options.dev) {
      this.#exchange.fail(500);
      return;
    }
    this.#exchange.respond({
      status: 500,
      fields: ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'],
      body: `Internal server error (request ${this.#exchange.id})\n\n${detail}\n`,
    });
  }

  #observeFailure(step: CallStep | undefined, error: SqlError | null, message: string): void {
    this.#catalog.options.observer.observe({
      kind: 'handler-failed',
      id: this.#exchange.id,
      handler: step?.handler ?? '',
      sqlState: error?.code ?? null,
      message,
      detail: error?.detail ?? null,
      hint: error?.hint ?? null,
      where: error?.where ?? null,
    });
  }

  #observeTimeout(step: CallStep): void {
    this.#catalog.options.observer.observe({
      kind: 'handler-timeout',
      id: this.#exchange.id,
      handler: step.handler,
      limitMs: this.#catalog.options.handlerTimeoutMs,
    });
  }
}

/** As psql shows an error. */
function describe(error: SqlError): string {
  const lines = [`${error.severity}:  ${error.message} (${error.code})`];
  if (error.detail !== undefined) lines.push(`DETAIL:  ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT:  ${error.hint}`);
  if (error.where !== undefined) lines.push(`CONTEXT:  ${error.where}`);
  return lines.join('\n');
}
