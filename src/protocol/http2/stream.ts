// One stream's data: its state, its windows, and the body that waits to be sent. What moves it is in receiver.ts and
// sender.ts; when its body is sent is the scheduler's choice.
import type { FieldLines } from '../http/field-lines.ts';
import type { PieceQueue } from '../http/piece-queue.ts';
import { SendWindow } from './flow-window.ts';
import type { ReceiveWindow } from './flow-window.ts';
import { DEFAULT_URGENCY } from './priority.ts';
import { nextState, StreamState } from './stream-states.ts';
import type { StreamEvent } from './stream-states.ts';

export class Http2Stream {
  readonly id: number;
  /** Of the driver: whatever it keeps for the stream. The machine does not look at it. */
  owner: unknown = null;
  state: StreamState = StreamState.IDLE;
  readonly sendWindow: SendWindow;
  /** null where no body is to come. */
  receiveWindow: ReceiveWindow | null = null;
  /** What is still to come of the request is given back unread, and not told of. */
  discards = false;
  /** Octets of body still to come by content-length; -1 where it was not given. */
  expectedBytes = -1;
  /** Whether the final response head has been sent. */
  headSent = false;
  /** The response has no content whatever is sent: to HEAD, 204, 304 (RFC 9110 §6.4.1). */
  withoutContent = false;
  /** The request was CONNECT: what follows the heads is DATA alone (RFC 9113 §8.5). */
  connect = false;
  /** Octets of the response still to come by the content-length that was sent; -1 where none was. */
  announcedBytes = -1;

  /** Body that waits for windows, or for its turn; null before anything had to wait. */
  queue: PieceQueue | null = null;
  /** How much of the piece that is next has been sent. */
  queueOffset = 0;
  queuedBytes = 0;
  /** What ends the stream once the queue is empty: nothing yet, END_STREAM, or trailers. */
  ending: 'none' | 'end' | FieldLines = 'none';
  /** The sender was told to wait, and is to be told when it may go on. */
  senderWaits = false;

  urgency = DEFAULT_URGENCY;
  /** True also where the client gave no priority: then fairness counts for more than order. */
  incremental = true;
  /** Links of the scheduler's ring; null while the stream is in none. */
  next: Http2Stream | null = null;
  previous: Http2Stream | null = null;

  /** Octets of DATA sent. */
  sentBytes = 0;
  /** What `tick` last saw of whatever has to move for this stream to go on (-1: no window held it), and since when it has been that. */
  stalledBytes = -1;
  stalledSinceMs = 0;

  constructor(id: number, sendWindow: number) {
    this.id = id;
    this.sendWindow = new SendWindow(sendWindow);
  }

  /** Moves the state on. False: the state does not allow it, and nothing has changed. */
  move(event: StreamEvent): boolean {
    const next = nextState(this.state, event);
    if (next === null) return false;
    this.state = next;
    return true;
  }

  get closed(): boolean {
    return this.state === StreamState.CLOSED;
  }

  /** Whether the peer may still send on it. */
  get remoteOpen(): boolean {
    return this.state === StreamState.OPEN || this.state === StreamState.HALF_CLOSED_LOCAL;
  }

  /** Whether something of ours is still to be sent on it, the end included. */
  get localOpen(): boolean {
    return this.#sending || this.reserved;
  }

  /** Promised, and not begun to be answered: the peer may end it or widen its window, and send nothing else on it (RFC 9113 §5.1). */
  get reserved(): boolean {
    return this.state === StreamState.RESERVED_LOCAL;
  }

  /** Whether the final head may still be sent. */
  get headOpen(): boolean {
    return !this.headSent && this.localOpen;
  }

  /** Whether data, an end or trailers may still be sent. */
  get bodyOpen(): boolean {
    return this.headSent && this.#sending && this.ending === 'none';
  }

  get #sending(): boolean {
    return this.state === StreamState.OPEN || this.state === StreamState.HALF_CLOSED_REMOTE;
  }

  /** Whether the client opened it (RFC 9113 §5.1.1). */
  get fromPeer(): boolean {
    return this.id % 2 === 1;
  }
}
