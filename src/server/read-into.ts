// Has a socket read into one buffer that all such sockets share, in place of a new one for each read: 64 KB less to allocate, and the
// way through the readable stream saved. For a receiver that keeps nothing of what it is given (ByteReceiver).
//
// Node has this as the option `onread` of a socket that is being made (net.Socket), but not for one that a server has accepted. What the option
// does is done here afterwards: it leaves three properties behind symbols, which the socket looks at with each read, pause and resume,
// and tells the handle. `isReadIntoAvailable` says whether this Node has them; where it has not, `data` events do.
import { Socket } from 'node:net';

/** What libuv asks for each read, too. */
const BUFFER_BYTES = 65_536;

interface ReadHandle {
  useUserBuffer(buffer: Buffer): void;
}

interface ReadSymbols {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}

type SocketParts = Record<symbol, unknown> & { readonly _handle?: unknown };

const shared = Buffer.allocUnsafeSlow(BUFFER_BYTES);
const symbols = findSymbols();

/** Looks at a socket that has the option. */
function findSymbols(): ReadSymbols | null {
  const callback = (): boolean => true;
  const probe = new Socket({ onread: { buffer: shared, callback } });
  const parts = probe as unknown as SocketParts;
  const own = Object.getOwnPropertySymbols(parts);
  const buffer = own.find((name) => parts[name] === shared);
  const called = own.find((name) => parts[name] === callback);
  const generator = own.find((name) => name.description === 'kBufferGen' && parts[name] === null);
  probe.destroy();
  if (buffer === undefined || called === undefined || generator === undefined) return null;
  return { buffer, callback: called, generator };
}

function canReadInto(handle: unknown): handle is ReadHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function'
  );
}

/** Whether this Node has what SharedReads is built on. */
export function isReadIntoAvailable(): boolean {
  return symbols !== null;
}

/** Reads of any number of sockets, for one receiver. */
export class SharedReads {
  readonly #callback: (this: Socket, bytes: number) => boolean;

  /** `receive` gets what a socket has read, as a view that is valid during the call. */
  constructor(receive: (socket: Socket, chunk: Buffer) => void) {
    // Requests that are alike have one length: a view is more work than to look whether there is one.
    let view = shared;
    this.#callback = function (this: Socket, bytes) {
      if (view.length !== bytes) view = shared.subarray(0, bytes);
      receive(this, view);
      return true;
    };
  }

  /** From now on. False, and nothing is changed, where that cannot be done: `data` events tell then. */
  begin(socket: Socket): boolean {
    const parts = socket as unknown as SocketParts;
    const handle = parts._handle;
    // What has been read already would come after what is read next.
    if (symbols === null || socket.readableLength > 0 || !canReadInto(handle)) return false;
    parts[symbols.generator] = null;
    parts[symbols.callback] = this.#callback;
    parts[symbols.buffer] = shared;
    handle.useUserBuffer(shared);
    return true;
  }
}
