// The receiving half of an HTTP/1.x server connection: bytes in, events out.
import type { FieldLines } from '../http/field-lines.ts';
import type { Http1Fault } from './fault.ts';
import type { Http1Limits } from './limits.ts';
import type { Http1RequestHead } from './request-head.ts';

export interface Http1Events {
  receiveHead(head: Http1RequestHead): void;
  receiveData(data: Buffer): void;
  receiveEnd(trailers: FieldLines): void;
  receiveFault(fault: Http1Fault): void;
  receiveHttp2Preface(rest: Buffer): void;
}

export type Http1Phase = 'idle' | 'head' | 'body' | 'waiting' | 'ended';

export declare class Http1Receiver {
  constructor(limits: Http1Limits, events: Http1Events);
  receive(chunk: Buffer): void;
  releaseNext(): void;
  pause(): void;
  resume(): void;
  receiveEof(): 'clean' | 'incomplete';
  get phase(): Http1Phase;
  get bufferedBytes(): number;
  takeRest(): Buffer;
}
