// Whose a socket is: who gets what it reads and is told of its end. One at a time; another may follow, as one protocol leads to
// another. All sockets share the listeners: an idle connection keeps none of its own.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SharedReads } from './read-into.ts';

export interface SocketOwner {
  /** What was read: a view that is valid during the call. */
  receiveBytes(chunk: Buffer): void;
  /** The client has closed its side. */
  receiveEof(): void;
  /** The client has taken what waited for it. */
  receiveRoom(): void;
  /** The socket is closed. What went wrong with it shows as this: a client that leaves is no error. */
  receiveClosed(): void;
}

const OWNER = Symbol('owner');

type OwnedSocket = Socket & { [OWNER]?: SocketOwner };

const reads = new SharedReads((socket: OwnedSocket, chunk) => socket[OWNER]?.receiveBytes(chunk));

function receiveData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.receiveBytes(chunk);
}

function receiveEnd(this: OwnedSocket): void {
  this[OWNER]?.receiveEof();
}

function receiveDrain(this: OwnedSocket): void {
  this[OWNER]?.receiveRoom();
}

function receiveError(): void {}

function receiveClose(this: OwnedSocket): void {
  this[OWNER]?.receiveClosed();
}

/** Whatever the socket has to tell from now on is told to `owner`, and to nobody else. */
export function giveSocket(socket: OwnedSocket, owner: SocketOwner): void {
  const isFirst = socket[OWNER] === undefined;
  socket[OWNER] = owner;
  if (!isFirst) return;
  // The handle of a TLS socket gives what it has decrypted in pieces of its own.
  if (socket instanceof TLSSocket || !reads.begin(socket)) socket.on('data', receiveData);
  // Without a listener for `data` nothing else would have it read, nor tell of its end.
  else socket.resume();
  socket.on('end', receiveEnd);
  socket.on('drain', receiveDrain);
  socket.on('error', receiveError);
  socket.on('close', receiveClose);
}
