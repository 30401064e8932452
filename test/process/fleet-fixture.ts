// A fleet on a PostgreSQL server of its own, seen from outside; and a load on it that counts every answer and every failure.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Agent as SecureAgent, request as requestSecurely } from 'node:https';
import { connect, type Socket } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

/** Routes: /pid says which backend ran it, /sleep takes half a second, /quick does nothing. */
const SCHEMA = `
create function route(path text, body text) returns void language plpgsql as $$
begin
  execute format('create function %I(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as %L',
    'at_' || translate(path, '/', ''), body);
  insert into omni_httpd.urlpattern_router (match, handler)
  values (omni_httpd.urlpattern(path), to_regproc('at_' || translate(path, '/', '')));
end $$;
select route('/quick', $$ begin return omni_httpd.http_response('quick'); end $$);
select route('/pid', $$ begin return omni_httpd.http_response(pg_backend_pid()::text); end $$);
select route('/peer', $$ begin return omni_httpd.http_response(omni_http.http_header_get(request.headers, 'omnigres-connecting-ip')); end $$);
select route('/sleep', $$
  declare began timestamptz := clock_timestamp();
  begin
    perform pg_sleep(0.5);
    return omni_httpd.http_response(jsonb_build_object(
      'pid', pg_backend_pid(), 'began', extract(epoch from began), 'ended', extract(epoch from clock_timestamp()))::text);
  end $$);
`;

export interface Worker {
  readonly worker: number;
  readonly pid: number;
  readonly state: string;
  readonly connections: number;
  readonly restarts: number;
  readonly calls_sent: string;
  readonly calls_taken: string;
}

export interface Fleet extends AsyncDisposable {
  readonly served: Served;
  readonly url: string;
  readonly port: number;
  readonly postgres: TestPostgres;
  readonly database: string;
  readonly sql: Client;
  get(path: string): Promise<string>;
  /** Until howdah.workers is as it is waited for. */
  workers(condition: (workers: readonly Worker[]) => boolean): Promise<readonly Worker[]>;
}

/** `args` of howdah serve, besides the database and the address. */
export async function startFleet(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Fleet> {
  const directory = temporaryDirectory();
  const postgres = await startPostgres();
  let sql: Client | null = null;
  let served: Served | null = null;
  const dispose = async (): Promise<void> => {
    await sql?.end().catch(() => undefined);
    await served?.[Symbol.asyncDispose]();
    await postgres.stop();
    directory[Symbol.dispose]();
  };
  try {
    const database = `postgres://postgres@/postgres?host=${encodeURIComponent(postgres.socketDir)}`;
    served = await startServe(['--database', database, '--no-access-log', ...args], {
      cwd: directory.path,
      env,
    });
    const client = new Client({ host: postgres.socketDir, port: postgres.port, user: 'postgres' });
    sql = client;
    client.on('error', () => undefined);
    await client.connect();
    await client.query(SCHEMA);
    const { url } = served;
    return {
      served,
      url,
      port: Number(new URL(url).port),
      postgres,
      database,
      sql: client,
      async get(path) {
        const response = await fetch(new URL(path, url));
        return response.text();
      },
      async workers(condition) {
        for (;;) {
          const { rows } = await client.query<Worker>('select * from howdah.workers order by worker');
          if (condition(rows)) return rows;
          // Nobody tells of it; the server writes it every other second.
          await client.query('select pg_sleep(0.1)');
        }
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Arguments for an https listener on any port, with a certificate that nobody trusts. */
export async function tlsArguments(directory: string): Promise<string[]> {
  const { certificate, privateKey } = await signCertificate(await makeAuthority('tests'), 'localhost');
  const [certificatePath, keyPath] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')];
  writeFileSync(certificatePath, certificate);
  writeFileSync(keyPath, privateKey);
  return ['--tls-listen', '127.0.0.1:0', '--tls-cert', certificatePath, '--tls-key', keyPath];
}

/** Where a server with such arguments serves https. */
export function httpsUrl(served: Served): string {
  const [url] = /^https:\S+$/m.exec(served.process.out) ?? [];
  if (url === undefined) throw new Error(`no https in:\n${served.process.out}`);
  return url;
}

export interface TlsVisit {
  /** To resume it with. */
  readonly session: Buffer;
  readonly resumed: boolean;
}

/** One request over TLS on a connection of its own, that resumes `session` if it is let. */
export async function visitTls(url: string, session?: Buffer): Promise<TlsVisit> {
  const socket = connectTls({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...(session === undefined ? {} : { session }),
  });
  let ticket: Buffer | null = null;
  socket.on('session', (data: Buffer) => (ticket = data));
  await once(socket, 'secureConnect');
  const resumed = socket.isSessionReused();
  socket.write('GET /quick HTTP/1.1\r\nhost: localhost\r\n\r\n');
  // Tickets come before the answer; who has resumed a session may get none.
  await once(socket, 'data');
  socket.destroy();
  return { session: ticket ?? session ?? Buffer.alloc(0), resumed };
}

export interface Load {
  /** Answers with 200 so far. */
  readonly answers: number;
  readonly failures: readonly string[];
  /** Failures that were not taken yet. */
  takeFailures(): string[];
  /** Until so many more answers have come. */
  more(answers: number): Promise<void>;
  stop(): Promise<void>;
}

/** Clients that ask again and again: on connections that they keep, or on a new one for each request. */
export function startLoad(url: string, clients: number, keepAlive = true): Load {
  const failures: string[] = [];
  const secure = url.startsWith('https:');
  const options = { keepAlive, maxSockets: clients };
  // Sessions are resumed where they can be, as browsers do it. The certificate is one of the tests.
  const agent = secure ? new SecureAgent({ ...options, rejectUnauthorized: false }) : new Agent(options);
  let answers = 0;
  let taken = 0;
  const ended = new AbortController();
  const waiting: { at: number; resolve: () => void }[] = [];
  const failed = (what: string, sinceMs: number): void => {
    const afterMs = Math.round(performance.now() - sinceMs);
    failures.push(`${what} (${new Date().toISOString().slice(11, -1)}, ${afterMs} ms after it was asked)`);
  };
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const sinceMs = performance.now();
      const asked = (secure ? requestSecurely : request)(url, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if (response.statusCode === 200) answers += 1;
          else failed(`status ${response.statusCode}: ${text.trim()}`, sinceMs);
          resolve();
        });
        response.on('error', (error) => {
          failed(`in the answer: ${error.message}`, sinceMs);
          resolve();
        });
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        failed(`${error.code ?? ''} ${error.message}`, sinceMs);
        resolve();
      });
      asked.end();
    });
  const client = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await ask();
      for (const { at, resolve } of waiting) if (answers >= at) resolve();
    }
  };
  const done = Promise.all(Array.from({ length: clients }, client));
  return {
    get answers() {
      return answers;
    },
    failures,
    takeFailures() {
      const untaken = failures.slice(taken);
      taken = failures.length;
      return untaken;
    },
    more: (count) => new Promise((resolve) => void waiting.push({ at: answers + count, resolve })),
    async stop() {
      ended.abort();
      await done;
      agent.destroy();
    },
  };
}

/** How much of what a server has said is shown with a failure. */
const SHOWN_LOG = 6000;

/** That nothing failed. Says what did, and what the server and its workers have said. */
export function assertNoFailures(fleet: Fleet, failures: readonly string[]): void {
  if (failures.length === 0) return;
  const shown = failures.slice(0, 20).join('\n  ');
  assert.fail(
    `${failures.length} failed:\n  ${shown}\nthe server said last:\n${fleet.served.process.err.slice(-SHOWN_LOG)}`,
  );
}

/** Connections that stay open and say nothing after one request each, which was answered. */
export async function openConnections(port: number, count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET /quick HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await once(socket, 'data');
      return socket;
    }),
  );
}

/** Whether a process of that number runs. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
