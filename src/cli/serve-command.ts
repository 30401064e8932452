// `howdah serve`: starts the server, says where it listens, and drains it when a signal asks for that. What runs is
// put together in fleet/serve.ts.
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { placeInModule } from '../fleet/dev-error-page.ts';
import { DevSession } from '../fleet/dev-session.ts';
import type { ApplicationConfig } from '../web/define-application.ts';
import { loadApplication } from '../fleet/application-module.ts';
import type { RunningServer, ServeOptions } from '../fleet/serve.ts';
import type { Observer } from '../observe/observation.ts';
import { processLogs, type LogSettings } from '../observe/process-logs.ts';
import { banner } from './banner.ts';
import { EXIT_CODES, SIGNAL_EXIT_BASE } from './exit-codes.ts';
import { exitCodeOf, failureText } from './failure.ts';
import type { ServeSettings } from './serve-settings.ts';
import { InheritedSockets } from '../fleet/inherited-sockets.ts';
import { tellPredecessor } from '../fleet/successor.ts';
import { notifyServiceManager } from './service-manager.ts';
import { packageVersion } from '../fleet/version.ts';

/** With their numbers (POSIX), which a shell adds to 128. */
const DRAIN_SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;
type DrainSignal = keyof typeof DRAIN_SIGNALS;

/** Lies beside src/ in the repository and beside dist/ in the package: two folders up from here in both. */
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** A server's database may be one that others count on: nothing is put into it unasked, and `npm start` asks always. */
function withExamples({ examples, server, sqlPaths }: ServeSettings): readonly string[] {
  return examples && server === null ? [EXAMPLES, ...sqlPaths] : sqlPaths;
}

/** Serves until a signal asks for the end; gives the exit code. */
export async function runServe(
  settings: ServeSettings,
  serve: (options: ServeOptions) => Promise<RunningServer>,
): Promise<number> {
  const output = serveOutput(settings);
  const signals = drainSignals();
  // Before there is anything to hand over it must not end the process.
  const notYet = (): void => {};
  process.on('SIGUSR2', notYet);
  try {
    const inherited = new InheritedSockets(process.env, process.pid);
    const dev = settings.follows ? devSession(settings) : null;
    const application = await (dev === null ? loadGiven(settings.application) : dev.load());
    const listeners = application?.listeners ?? [];
    const server = await serve({
      server: settings.server,
      dataDirectory: settings.dataDirectory,
      listen: settings.listen ?? inherited.addressFor('http'),
      listeners,
      // Worker processes load it themselves.
      application: settings.server === null || dev !== null ? application : null,
      inProcess: dev !== null,
      tls: { ...settings.tls, listen: settings.tls.listen ?? inherited.addressFor('https') },
      inherited,
      unixListen: settings.unixListen === null ? null : resolve(settings.unixListen),
      gateway: fromAnywhere(settings.gateway),
      sqlPaths: dev === null ? withExamples(settings) : [],
      ...(dev === null ? {} : { prepare: (server) => dev.start(server) }),
      noInit: settings.noInit || listeners.length > 0,
      requests: {
        dev: settings.dev,
        compress: settings.compress,
        decompress: settings.decompress,
        maxBodyBytes: settings.maxBodyBytes,
        maxResultBytes: settings.maxResultBytes,
        handlerTimeoutMs: settings.handlerTimeoutMs,
        eventRetentionMs: settings.eventRetentionMs,
        allowedDirectories: settings.allowedDirectories,
        observeRequests: settings.accessLog,
        proxyFrom: settings.proxyFrom,
        applicationModule: settings.server === null || dev !== null ? null : absolute(settings.application),
      },
      admin: settings.admin,
      workers: settings.workers,
      hangTimeoutMs: settings.workerTimeoutMs,
      drainTimeoutMs: settings.drainTimeoutMs,
      version: packageVersion(),
      observer: output.observer,
      logs: logSettings(settings),
    });
    output.started(server);
    tellPredecessor();
    await tellServiceManager(output.observer, 'READY=1', `MAINPID=${process.pid}`);
    const stopReloading = reloadOnHangup(server, output.observer);
    const successor = successorOnSignal(server, output.observer);

    const reason = await Promise.race([signals.first, successor.serves, server.closed]).finally(() => {
      stopReloading();
      successor.release();
    });
    if (reason === undefined) throw new Error('the server ended without having been asked to');
    await dev?.stop();
    if (typeof reason === 'number') {
      // What the service manager is told is the successor's business now.
      output.observer.observe({ kind: 'server-handed-over', pid: reason });
    } else {
      const deadlineMs = settings.drainTimeoutMs;
      output.observer.observe({ kind: 'server-draining', signal: reason, deadlineMs });
      await tellServiceManager(output.observer, 'STOPPING=1');
    }
    await server.close(settings.drainTimeoutMs);
    output.observer.observe({ kind: 'server-stopped' });
    return EXIT_CODES.done.code;
  } catch (error) {
    output.failed(error);
    return exitCodeOf(error);
  } finally {
    process.off('SIGUSR2', notYet);
    signals.release();
    output.flush();
  }
}

const loadGiven = (path: string | null): Promise<ApplicationConfig | null> =>
  path === null ? Promise.resolve(null) : loadApplication(path);

/** Tells what it does on standard error, where the errors are. */
function devSession({ application, sqlPaths }: ServeSettings): DevSession {
  return new DevSession(application, sqlPaths, {
    done: (what) => void process.stderr.write(`${what}\n`),
    failed: (error) => {
      const place = placeInModule(error);
      process.stderr.write(failureText(error) + (place === '' ? '' : `${place}\n`));
    },
  });
}

const absolute = (path: string | null): string | null => (path === null ? null : resolve(path));

/** Certificates are renewed by programs that then say SIGHUP, as to other servers. Returns what ends it. */
function reloadOnHangup(server: RunningServer, observer: Observer): () => void {
  const listener = (): void => {
    server.reload().catch((error: unknown) => {
      observer.observe({ kind: 'internal-error', where: 'reload on SIGHUP', error });
    });
  };
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
}

/** SIGUSR2 starts the program anew in this one's place. `serves` has the number of the new process, once there is one. */
function successorOnSignal(
  server: RunningServer,
  observer: Observer,
): { readonly serves: Promise<number>; release(): void } {
  const { promise: serves, resolve: isServing } = Promise.withResolvers<number>();
  let asked = false;
  const listener = (): void => {
    if (asked) return;
    asked = true;
    server.handOver().then(isServing, (error: unknown) => {
      asked = false;
      const reason = error instanceof Error ? error.message : String(error);
      observer.observe({ kind: 'hand-over-failed', reason });
    });
  };
  process.on('SIGUSR2', listener);
  return { serves, release: () => process.off('SIGUSR2', listener) };
}

/** A service manager that cannot be told is no reason not to serve. */
async function tellServiceManager(observer: Observer, ...assignments: readonly string[]): Promise<void> {
  try {
    await notifyServiceManager(process.env, ...assignments);
  } catch (error) {
    observer.observe({ kind: 'internal-error', where: 'systemd-notify', error });
  }
}

/** A socket path as it is found from other directories too: `howdah sql` may be started in one. */
function fromAnywhere(gateway: ServeSettings['gateway']): ServeSettings['gateway'] {
  return gateway !== null && 'path' in gateway ? { path: resolve(gateway.path) } : gateway;
}

/** The first signal is a value, also one that comes during the start; the second ends the process at once. */
function drainSignals(): { readonly first: Promise<DrainSignal>; release(): void } {
  const first = Promise.withResolvers<DrainSignal>();
  let asked = false;
  const listeners = (Object.keys(DRAIN_SIGNALS) as DrainSignal[]).map((signal) => {
    const listener = (): void => {
      if (asked) process.exit(SIGNAL_EXIT_BASE + DRAIN_SIGNALS[signal]);
      asked = true;
      first.resolve(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return {
    first: first.promise,
    release() {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}

interface ServeOutput {
  readonly observer: Observer;
  started(server: RunningServer): void;
  failed(error: unknown): void;
  flush(): void;
}

// Standard output has the banner and the access log, standard error the error log. With JSON, the start and a failed
// start are records like all others, so that both streams hold nothing else.
function serveOutput(settings: ServeSettings): ServeOutput {
  const pretty = settings.logFormat === 'pretty';
  const { observer: log, errors, output: access } = processLogs(logSettings(settings));
  let running = false;
  return {
    observer: {
      observe(observation) {
        // The banner shows the listeners of the start.
        if (pretty && !running && observation.kind === 'listener-opened') return;
        log.observe(observation);
      },
    },
    started(server) {
      running = true;
      const version = packageVersion();
      if (pretty) {
        access.write(banner({ version, server, dataDirectory: settings.dataDirectory }));
        access.flushSync();
      } else {
        const { database, workers } = server;
        errors.observe({ kind: 'server-started', version, database, workers });
      }
    },
    failed(error) {
      if (pretty) process.stderr.write(failureText(error));
      else errors.observe({ kind: 'server-failed', error });
    },
    flush() {
      access.flushSync();
    },
  };
}

function logSettings({ logFormat, logLevel, accessLog }: ServeSettings): LogSettings {
  return {
    format: logFormat,
    level: logLevel,
    access: accessLog,
    accessColour: mayColour(process.stdout),
    errorColour: mayColour(process.stderr),
  };
}

/** Colours on a terminal only, and not where NO_COLOR asks for none (no-color.org). */
function mayColour(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}
