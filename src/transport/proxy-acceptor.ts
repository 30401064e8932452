// The PROXY protocol on the accepted sockets of one listener: who must begin with a header, and what is done without one.
// Not how a header is read: protocol/proxy.
import type { Socket } from 'node:net';
import type { ProxyHeader } from '../protocol/proxy/header.ts';
import { ProxyHeaderReader } from '../protocol/proxy/header-reader.ts';
import type { AllowedPeers } from './allowed-peers.ts';

export interface ProxyOptions {
  /**
   * Peers that must begin each connection with a header, and are believed. For all others a header is no more than bad input:
   * whoever can reach the listener could claim to be anybody else.
   */
  readonly allowed: AllowedPeers;
  /** From the accepted connection to the end of the header; then it is closed. Default 5000: Ranch's. */
  readonly headerTimeoutMs?: number;
}

const DEFAULT_HEADER_TIMEOUT_MS = 5000;

export type AcceptProxied = (socket: Socket, header: ProxyHeader | null) => void;

export class ProxyAcceptor {
  readonly #allowed: AllowedPeers;
  readonly #timeoutMs: number;
  readonly #accept: AcceptProxied;
  readonly #refused: (reason: string) => void;

  /** `accept` takes sockets behind their header; `refused` is told why another was closed. */
  constructor(options: ProxyOptions, accept: AcceptProxied, refused: (reason: string) => void) {
    this.#allowed = options.allowed;
    this.#timeoutMs = options.headerTimeoutMs ?? DEFAULT_HEADER_TIMEOUT_MS;
    this.#accept = accept;
    this.#refused = refused;
  }

  /** Takes a paused socket that nothing has been read from, and gives it on as one. */
  accept(socket: Socket): void {
    if (!this.#allowed.has(socket)) {
      this.#accept(socket, null);
      return;
    }
    const reader = new ProxyHeaderReader();
    const leave = (): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', receive);
      socket.off('end', leaveEarly);
      socket.off('close', leave);
      socket.off('error', ignore);
    };
    const refuse = (reason: string): void => {
      leave();
      socket.on('error', ignore);
      socket.destroy();
      this.#refused(reason);
    };
    const leaveEarly = (): void => refuse('the connection ended before it was whole');
    const receive = (chunk: Buffer): void => {
      const reading = reader.read(chunk);
      if (reading.kind === 'more') return;
      if (reading.kind === 'fault') {
        refuse(reading.reason);
        return;
      }
      leave();
      if (reading.rest.length > 0) socket.unshift(reading.rest);
      this.#accept(socket, reading.header);
    };
    const timer = setTimeout(() => refuse('it did not come in time'), this.#timeoutMs);
    socket.on('data', receive);
    socket.on('end', leaveEarly);
    socket.on('close', leave);
    socket.on('error', ignore);
    socket.resume();
  }
}

function ignore(): void {}
