// A server under measurement: started on a port and a core, awaited until it says that it is ready, stopped.
import { startChild } from './child-processes.ts';
import { pinned } from './cores.ts';

/** Long enough for an embedded PostgreSQL that makes its data directory first, on a busy machine. */
const READY_LIMIT_MS = 60_000;
/** After SIGTERM: no contestant has anything to drain but idle keep-alive connections. */
const STOP_LIMIT_MS = 15_000;
/** How much of its output is kept to explain a failure. */
const KEPT_OUTPUT_CHARACTERS = 4000;
/** Of a line of it in the report. */
const TOLD_CHARACTERS = 300;

export interface ServerCommand {
  /** The command line for a port. */
  command(port: number): readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What it prints when it accepts connections. */
  readonly ready: RegExp;
}

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** Rejects where it cannot be started or ends before it is ready; never resolves. */
  readonly failed: Promise<never>;
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
  /** Asks it to end; answers null, or what was wrong with the way it ended. */
  stop(): Promise<string | null>;
}

/** The last line that says something, without stack frames. */
function lastLine(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !line.startsWith('at ')) ?? 'it printed nothing';
}

/** The line of an uncaught error, or else the last line; cut, because the source that is shown with it may be minified. */
export function tellingLine(output: string): string {
  const error = output.split('\n').find((line) => /^(\w*Error\b|error:|howdah:)/.test(line.trim()));
  return (error?.trim() ?? lastLine(output)).slice(0, TOLD_CHARACTERS);
}

/**
 * Starts the server on a port and resolves when it is ready; with `awaitReady` false, as soon as the process exists.
 * Rejects with the reason where it ends or stays silent instead.
 */
export async function startServer(
  server: ServerCommand,
  port: number,
  core: number | null,
  awaitReady = true,
): Promise<ServerProcess> {
  const child = startChild(pinned(core, server.command(port)), {
    ...server.environment,
    BENCH_PORT: String(port),
  });
  let output = '';
  let isReady = false;
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  const ended = Promise.withResolvers<void>();
  const keep = (text: string): void => {
    output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS);
    // Not looked at again: a server that logs its requests prints a lot under load.
    isReady ||= server.ready.test(output);
    if (isReady) ready.resolve();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', (error) => {
    failed.reject(new Error(`could not be started: ${error.message}`));
    ended.resolve();
  });
  child.once('close', () => {
    failed.reject(new Error(`ended before it was ready: ${tellingLine(output)}`));
    ended.resolve();
  });
  failed.promise.catch(() => undefined);
  if (awaitReady) {
    const limit = setTimeout(() => {
      failed.reject(new Error(`not ready after ${READY_LIMIT_MS} ms: ${tellingLine(output)}`));
      child.kill('SIGKILL');
    }, READY_LIMIT_MS);
    await Promise.race([ready.promise, failed.promise]).finally(() => clearTimeout(limit));
  }

  return {
    pid: child.pid ?? 0,
    port,
    failed: failed.promise,
    ended: ended.promise,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) {
        await ended.promise;
        return `it ended by itself (${child.exitCode ?? child.signalCode}): ${tellingLine(output)}`;
      }
      child.kill('SIGTERM');
      const stopLimit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended.promise.finally(() => clearTimeout(stopLimit));
      if (child.signalCode === 'SIGKILL') return `it did not end within ${STOP_LIMIT_MS} ms of SIGTERM`;
      const clean = child.exitCode === 0 || child.signalCode === 'SIGTERM';
      return clean
        ? null
        : `it ended with ${child.exitCode ?? child.signalCode} on SIGTERM: ${tellingLine(output)}`;
    },
  };
}
