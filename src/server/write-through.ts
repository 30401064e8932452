// Has bytes for a socket written by its handle at once, past the writable stream: what that does for each write (a state of its own, a
// callback, a turn of process.nextTick, a request object) costs more than all that HTTP does for a small response. For as long as the
// kernel takes everything; as soon as it does not, what follows goes through the stream, with its back-pressure.
//
// Node has no API for it. `socket.write` calls `writeBuffer` of its handle with a request object; the constructor of that is learned from a
// write that passes by, and used again for each write that is complete when the call returns. Where anything is not as it is
// expected, `writeThrough` answers false, nothing having been written, and the stream does it.
import type { Socket } from 'node:net';

/** Of a piece: as many bytes wait at the most without the stream, and so its back-pressure, knowing of them. */
const MOST_BYTES = 16_384;

interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number) => void;
  /** Keeps the bytes alive while libuv has them. */
  buffer?: Buffer;
  socket?: Socket;
}

interface WriteHandle {
  /** Bytes that libuv has not been able to write. */
  readonly writeQueueSize: number;
  /** 0, or a negative error number. */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

type SocketParts = { readonly _handle?: unknown };

/** Learned from the first write. */
let RequestOfWrite: (new () => WriteRequest) | null = null;
/** No write is under way with it. */
let idle: WriteRequest | null = null;

function handleOf(socket: Socket): WriteHandle | null {
  const handle = (socket as SocketParts)._handle as Partial<WriteHandle> | null | undefined;
  return typeof handle?.writeBuffer === 'function' && typeof handle.writeQueueSize === 'number'
    ? (handle as WriteHandle)
    : null;
}

/** Writes through the stream, and looks at the request object that it makes. */
function learn(socket: Socket, handle: WriteHandle, bytes: Buffer): void {
  const writeBuffer = handle.writeBuffer.bind(handle);
  handle.writeBuffer = (request, given) => {
    RequestOfWrite = request.constructor as new () => WriteRequest;
    return writeBuffer(request, given);
  };
  try {
    socket.write(bytes);
  } finally {
    // The prototype has it.
    delete (handle as Partial<WriteHandle>).writeBuffer;
  }
}

function complete(this: WriteRequest, status: number): void {
  const { socket } = this;
  delete this.socket;
  delete this.buffer;
  if (status < 0) socket?.destroy();
}

/** False: nothing was written. The bytes must stay as they are until they have been sent. */
export function writeThrough(socket: Socket, bytes: Buffer): boolean {
  if (bytes.length > MOST_BYTES || socket.writableLength > 0 || !socket.writable) return false;
  const handle = handleOf(socket);
  if (handle === null || handle.writeQueueSize > 0) return false;
  if (RequestOfWrite === null) {
    learn(socket, handle, bytes);
    return true;
  }
  const request = idle ?? new RequestOfWrite();
  idle = null;
  const error = handle.writeBuffer(request, bytes);
  if (error !== 0) {
    socket.destroy();
    return true;
  }
  if (handle.writeQueueSize === 0) {
    idle = request;
    return true;
  }
  request.oncomplete = complete;
  request.buffer = bytes;
  request.socket = socket;
  return true;
}
