// The thread that runs PostgreSQL. Opens it, has it serve units until one ends it, closes it.
// While it serves it never returns to its event loop; Worker.terminate() ends it at any time.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { EngineThreadData, EngineThreadMessage } from './engine-channel.ts';
import { beginCluster, finishCluster } from './cluster-directory.ts';
import { readClusterImage } from './cluster-image.ts';
import { Engine } from './engine.ts';
import { compileMeasuredModule } from './measured-module.ts';

/** Lines of PostgreSQL's own log that are kept, to say what it died of. */
const KEPT_LOG_LINES = 5;

/** What the program around PostgreSQL says when that ends itself; and what PostgreSQL tells before it knows what to leave out. */
const NO_LOG = /^(?:Aborted\(|pglitec: )| LOG: {2}/;

/** What differs from PGlite's own parameters: the reasons are in README.md. */
const START_PARAMETERS: readonly string[] = [
  '-c',
  'search_path="$user", public',
  '-c',
  'log_min_messages=fatal',
  '-c',
  'log_line_prefix=',
  // For the SQL objects: there is one session, in which nothing can be waited for (omni_httpd.wait_for_configuration_reloads).
  '-c',
  'howdah.embedded=on',
];

const data: EngineThreadData = workerData;
const logLines: string[] = [];

function post(message: EngineThreadMessage): void {
  parentPort?.postMessage(message);
}

/** Opens the cluster, and makes it where there is none. */
async function openCluster(directory: string | null, makes: boolean): Promise<PGlite> {
  const image = makes ? await readClusterImage() : null;
  return PGlite.create({
    pgliteWasmModule: await compileMeasuredModule(),
    ...(directory === null ? {} : { dataDir: `file://${directory}` }),
    ...(image === null ? {} : { loadDataDir: image }),
    startParams: [...PGlite.defaultStartParams, ...START_PARAMETERS],
    onStderr(line) {
      if (NO_LOG.test(line)) return false;
      logLines.push(line);
      if (logLines.length > KEPT_LOG_LINES) logLines.shift();
      return false; // PGlite itself is not to print it
    },
  });
}

/** The numbers of WASI that a file system refuses with, where somebody can do something about it. */
const FILE_ERRORS: Readonly<Record<number, string>> = {
  2: 'permission denied (EACCES)',
  19: 'disk quota exceeded (EDQUOT)',
  22: 'file too large (EFBIG)',
  29: 'input/output error (EIO)',
  51: 'no space left on device (ENOSPC)',
  69: 'read-only file system (EROFS)',
};

/** What ends a program of Emscripten is no Error, but has a message, or the number of what a file system has said. */
function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('message' in error) return String(error.message);
  return 'errno' in error ? (FILE_ERRORS[Number(error.errno)] ?? `errno ${String(error.errno)}`) : 'unknown';
}

try {
  const { clusterDirectory } = data;
  const initialised = clusterDirectory === null || beginCluster(clusterDirectory);
  const database = await openCluster(clusterDirectory, initialised);
  if (initialised && clusterDirectory !== null) finishCluster(clusterDirectory);
  const version = await database.query<{ server_version: string }>('show server_version');
  const engine = new Engine(database.Module, data, post);
  post({ kind: 'ready', version: version.rows[0]?.server_version ?? '', initialised });
  engine.serve();
  await database.close();
  post({ kind: 'ended' });
} catch (error) {
  // What PostgreSQL has said of its end says more than how its program ended.
  post({ kind: 'dead', reason: logLines.length > 0 ? logLines.join('; ') : messageOf(error) });
}
