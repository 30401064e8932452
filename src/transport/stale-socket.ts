// The file of a UNIX socket that its server left behind: in the way of the next one, and told from one that is in use.
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes the file where it is a socket that nobody accepts on. Returns whether it did. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (found === null || !found.isSocket() || (await isServed(path))) return false;
  await unlink(path);
  return true;
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Whatever else is wrong (no permission, say) does not tell that the file may go.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
