// Starts the program anew, as it now lies on the disk, with this process' listening sockets. They stay open all the while: not one
// connection is refused, and those that this process has are finished by it.
//
//   old:  serving ──start──► waiting ──"took over"──► drains and ends        (or: the new one ended ──► serving)
//   new:              starts with the sockets ──all workers accept──► "took over"
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { SocketHandle } from '../transport/socket-handle.ts';
import type { TicketSecret } from '../transport/ticket-keys.ts';
import { HANDED_OVER, handedOver } from './inherited-sockets.ts';

const TOOK_OVER = 'took-over';

/** Resolves when the new process serves, with its number. Rejects when it ended before: this one is to go on. */
export function startSuccessor(
  handles: readonly SocketHandle[],
  admin: SocketHandle | null,
  ticketSecret: TicketSecret,
): Promise<number> {
  const { stdio, env, ticketsFd } = handedOver(handles, admin);
  // LISTEN_* were for this process.
  const { LISTEN_FDS: _fds, LISTEN_PID: _pid, LISTEN_FDNAMES: _names, ...inherited } = process.env;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...inherited, ...env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...(stdio as unknown as 'ignore'[])],
    // Its own group: what ends this process' group does not end it.
    detached: true,
  });
  const tickets = child.stdio[ticketsFd] as Writable | null | undefined;
  // Where it ends before it has read this, its exit tells.
  tickets?.on('error', () => undefined).end(JSON.stringify(ticketSecret));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the new process ended before it served: ${signal ?? `exit code ${code}`}`)),
    );
    child.on('message', (message) => {
      if (message !== TOOK_OVER) return;
      child.disconnect();
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}

/** Tells the predecessor, if there is one, that this process serves. */
export function tellPredecessor(): void {
  if (process.env[HANDED_OVER] === undefined || process.send === undefined) return;
  process.send(TOOK_OVER);
}
