// Sockets as processes pass them to one another: bound and not yet accepting, or accepted and not yet read. What node:net does
// only for its own cluster module is used here and nowhere else: net._createServerHandle, which binds and leaves accepting to
// whoever gets the handle, and the _handle of a Socket or a Server. (A net.Server can be passed too, but then accepts here as well. The public
// net.BoundSocket came with Node.js 24.19 and cannot be passed to a process.)
import net, { isIPv6, type Server, type Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';

/** An open file descriptor in libuv's hands. `process.send` takes it, `Server.listen` too. */
export interface SocketHandle {
  close(): void;
  /** A number that another program can inherit. */
  readonly fd: number;
}

interface NativeHandle extends SocketHandle {
  getsockname(into: { address?: string; port?: number }): number;
  getpeername(into: { address?: string; port?: number }): number;
}

interface NetInternals {
  _createServerHandle(
    address: string | null,
    port: number,
    addressType: number,
    fd: number | undefined,
    flags: number,
  ): NativeHandle | number;
}

export interface BoundSocket {
  readonly handle: SocketHandle;
  readonly port: number;
  /** Whether it was open before this process, and may be so after it. */
  readonly isInherited?: boolean;
}

const internals = net as unknown as NetInternals;

/**
 * Binds a TCP socket without accepting from it: nobody connects until somebody listens on the handle.
 *
 * @throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL …)
 */
export function bindSocket(address: string, port: number): BoundSocket {
  const made = internals._createServerHandle(address, port, isIPv6(address) ? 6 : 4, undefined, 0);
  if (typeof made === 'number') throw bindError(made, address, port);
  const name: { port?: number } = {};
  const error = made.getsockname(name);
  // libuv keeps EADDRINUSE for itself until somebody listens; a socket that is not bound has no port.
  if (error !== 0 || name.port === undefined || name.port === 0 || (port !== 0 && name.port !== port)) {
    made.close();
    throw bindError(error === 0 ? errnoOf('EADDRINUSE') : error, address, port);
  }
  return { handle: made, port: name.port };
}

/**
 * The same for a UNIX socket, whose file goes when the handle is closed.
 *
 * @throws the system's error (EADDRINUSE, EACCES, ENAMETOOLONG …)
 */
export function bindUnixSocket(path: string): BoundSocket {
  const made = internals._createServerHandle(path, -1, -1, undefined, 0);
  if (typeof made === 'number') throw bindError(made, path, null);
  return { handle: made, port: 0 };
}

/**
 * Takes over a socket that this process has inherited as a file descriptor, and that listens already.
 * @throws the system's error where it is no such socket
 */
export function inheritedSocket(fd: number): BoundSocket & { readonly address: string } {
  const made = internals._createServerHandle(null, 0, 4, fd, 0);
  if (typeof made === 'number') throw bindError(made, 'file descriptor', fd);
  const name: { address?: string; port?: number } = {};
  const error = made.getsockname(name);
  if (error !== 0) throw bindError(error, 'file descriptor', fd);
  return { handle: made, port: name.port ?? 0, address: name.address ?? '', isInherited: true };
}

/** The handle of an accepted socket, to be sent away; then the socket is to be destroyed. null: it has closed. */
export function handleOf(socket: Socket): SocketHandle | null {
  return (socket as unknown as { _handle: NativeHandle | null })._handle;
}

/**
 * Has the kernel take no more connections for a server that listens than `backlog` and one, those that it has included; clients that
 * come beyond that are not connected, ask again after a second, and are refused if the socket has closed by then. In all processes that
 * share the socket.
 */
export function limitBacklog(server: Server, backlog: number): void {
  const { _handle: handle } = server as unknown as { _handle: { listen(backlog: number): number } | null };
  handle?.listen(backlog);
}

/** Whether a socket that connects is connected, before the event loop has been told. */
export function isConnected(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { _handle: NativeHandle | null };
  return handle !== null && handle.getpeername({}) === 0;
}

/** A socket from a handle that another process accepted and did not read: paused, as a net.Server with pauseOnConnect gives it. */
export function socketFrom(handle: SocketHandle): Socket {
  const options: object = {
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    readable: true,
    writable: true,
  };
  return new net.Socket(options);
}

function errnoOf(code: string): number {
  for (const [errno, [name]] of getSystemErrorMap()) if (name === code) return errno;
  throw new Error(`the system has no error ${code}`);
}

function bindError(errno: number, address: string, port: number | null): NodeJS.ErrnoException {
  const [code, message] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  const where = port === null ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return Object.assign(new Error(`listen ${code}: ${message} ${where}`), { errno, code, syscall: 'listen' });
}
