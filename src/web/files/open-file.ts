// Opens a regular file below a directory, such that no link leads out of it; and what tells two contents of a file apart. Caches
// nothing.
import { constants, type Stats } from 'node:fs';
import { open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { HowdahError } from '../../errors.ts';

export interface OpenFile {
  readonly kind: 'file';
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** What the system says of what is not there for us: also a name that is too long, one with a file for a directory, a socket. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'EINVAL', 'ENXIO']);

/**
 * Gives null for what is not there; other errors are thrown.
 * @throws HowdahError HOWDAH_TOO_MANY_FILES, which passes
 */
export function absent(error: NodeJS.ErrnoException): null {
  const { code = '' } = error;
  if (ABSENT.has(code)) return null;
  if (code === 'EMFILE' || code === 'ENFILE') {
    throw new HowdahError('HOWDAH_TOO_MANY_FILES', error.message, { cause: error });
  }
  throw error;
}

/** Without waiting for whoever writes into a pipe, and not through a link that was put there since. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * What the names lead to below `root`: an open file, `directory`, or null for what is not there, is neither, or lies outside.
 * Whoever gets a file closes it.
 */
export async function openBelow(
  root: string,
  segments: readonly string[],
): Promise<OpenFile | 'directory' | null> {
  if (segments.some((name) => name.includes('\0'))) return null;
  // Looked up each time: what the root is may change, a release that is linked to, say.
  const below = await realpath(root).catch(absent);
  const path = below === null ? null : await realpath(join(below, ...segments)).catch(absent);
  if (below === null || path === null || !isWithin(below, path)) return null;
  const found = await stat(path).catch(absent);
  if (found?.isDirectory() === true) return 'directory';
  if (found?.isFile() !== true) return null;
  return openFile(below, path);
}

/** `path` has its links resolved. Null where it is no regular file, or is not below `root` any more. */
async function openFile(root: string, path: string): Promise<OpenFile | null> {
  const handle = await open(path, FLAGS).catch(absent);
  if (handle === null) return null;
  try {
    const stats = await handle.stat();
    // What was opened, where the system tells: a directory on the way may have become a link since.
    const real = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => path);
    if (stats.isFile() && isWithin(root, real)) return { kind: 'file', handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return null;
}

export function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

/** The file at `path`, where it is still the one that those are of, by whatever links; else null. */
export async function openUnchanged(path: string, known: Stats): Promise<FileHandle | null> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(absent);
  if (handle === null) return null;
  const stats = await handle.stat().catch(() => null);
  if (stats !== null && sameContent(stats, known)) return handle;
  await handle.close();
  return null;
}

/** Tells the contents of files apart as far as the system does. */
export function identityOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** Whether both are of the same content, as far as the system tells. */
export function sameContent(a: Stats, b: Stats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs
  );
}
