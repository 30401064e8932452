// The states of a stream and what moves it between them (RFC 9113 §5.1), as a table. Not the stream's data: stream.ts.
//
//                 HEADERS ┌──────┐ PUSH_PROMISE sent
//               ┌─────────┤ idle ├─────────┐
//               ▼         └──────┘         ▼
//          ┌────────┐              ┌───────────────┐
//          │  open  │              │reserved(local)│
//          └┬──────┬┘              └───────┬───────┘
//  END_STREAM      END_STREAM              │ HEADERS sent
//    received      sent                    ▼
//   ┌───────▼──┐  ┌▼─────────┐     half-closed(remote)
//   │half-     │  │half-     │
//   │closed    │  │closed    │     reserved(remote) is not there: a client pushes nothing (§8.4)
//   │(remote)  │  │(local)   │
//   └───────┬──┘  └┬─────────┘
//      END_STREAM  END_STREAM      RST_STREAM, sent or received: closed from everywhere
//      sent ▼      ▼ received
//          ┌────────┐
//          │ closed │
//          └────────┘

export const StreamState = {
  IDLE: 0,
  OPEN: 1,
  /** We have sent END_STREAM. */
  HALF_CLOSED_LOCAL: 2,
  /** The peer has sent END_STREAM. */
  HALF_CLOSED_REMOTE: 3,
  RESERVED_LOCAL: 4,
  CLOSED: 5,
} as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

export const StreamEvent = {
  RECEIVE_HEADERS: 0,
  RECEIVE_END: 1,
  SEND_HEADERS: 2,
  SEND_END: 3,
  SEND_PUSH_PROMISE: 4,
  RESET: 5,
} as const;
export type StreamEvent = (typeof StreamEvent)[keyof typeof StreamEvent];

const EVENTS = 6;
const S = StreamState;
/** Not allowed in this state. */
const NO = -1;

// prettier-ignore
const TRANSITIONS = new Int8Array([
  //                     HEADERS in   END in                HEADERS out           END out               PROMISE out       RESET
  /* idle */             S.OPEN,      NO,                   NO,                   NO,                   S.RESERVED_LOCAL, NO,
  /* open */             S.OPEN,      S.HALF_CLOSED_REMOTE, S.OPEN,               S.HALF_CLOSED_LOCAL,  NO,               S.CLOSED,
  /* half-closed local */S.HALF_CLOSED_LOCAL, S.CLOSED,     NO,                   NO,                   NO,               S.CLOSED,
  /* half-closed remote*/NO,          NO,                   S.HALF_CLOSED_REMOTE, S.CLOSED,             NO,               S.CLOSED,
  /* reserved local */   NO,          NO,                   S.HALF_CLOSED_REMOTE, NO,                   NO,               S.CLOSED,
  /* closed */           NO,          NO,                   NO,                   NO,                   NO,               NO,
]);

/** The state after `event`, or null where the state does not allow it. */
export function nextState(state: StreamState, event: StreamEvent): StreamState | null {
  const next = TRANSITIONS[state * EVENTS + event] as number;
  return next === NO ? null : (next as StreamState);
}
