// Listening sockets that were open before this process: from systemd (sd_listen_fds(3)), or from the process whose place this one
// takes. They serve the listeners with their address and port; what none asks for is closed.
import { readFileSync } from 'node:fs';
import type { SocketHandle } from '../transport/socket-handle.ts';
import { inheritedSocket, type BoundSocket } from '../transport/socket-handle.ts';
import type { TicketSecret } from '../transport/ticket-keys.ts';

/** systemd hands over file descriptors from here on. */
const FIRST_FD = 3;

/**
 * File descriptors from a predecessor: numbers, separated by commas, that of the admin listener with `:admin`, and with `:tickets` a
 * pipe with the secret of the session tickets (the environment and the arguments of a process are no place for it).
 */
export const HANDED_OVER = 'HOWDAH_HANDED_OVER_FDS';

const ADMIN = 'admin';
const TICKETS = 'tickets';

interface Inherited extends BoundSocket {
  readonly address: string;
  /** FileDescriptorName= of its unit. */
  readonly name: string;
}

export class InheritedSockets {
  #sockets: Inherited[];
  readonly fromServiceManager: boolean;
  /** Of the predecessor; null: there is none. */
  readonly ticketSecret: TicketSecret | null;

  /** @throws the system's error where a descriptor is no listening socket */
  constructor(env: Readonly<Record<string, string | undefined>>, pid: number) {
    const handedOver = (env[HANDED_OVER] ?? '').split(',').filter((text) => text !== '');
    const activated = env['LISTEN_PID'] === String(pid) ? Number(env['LISTEN_FDS'] ?? 0) : 0;
    const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
    this.fromServiceManager = handedOver.length === 0 && activated > 0;
    const found =
      handedOver.length > 0
        ? handedOver.map((text) => {
            const [fd, name = ''] = text.split(':');
            return { fd: Number(fd), name };
          })
        : Array.from({ length: activated }, (_, i) => ({ fd: FIRST_FD + i, name: names[i] ?? '' }));
    const tickets = handedOver.length > 0 ? found.find(({ name }) => name === TICKETS) : undefined;
    this.ticketSecret =
      tickets === undefined ? null : (JSON.parse(readFileSync(tickets.fd, 'utf8')) as TicketSecret);
    this.#sockets = found
      .filter((one) => one !== tickets)
      .map(({ fd, name }) => ({ ...inheritedSocket(fd), name }));
  }

  /** The address that stands for --listen, or --tls-listen: of the socket that is named so, or for http the first of another name. */
  addressFor(protocol: 'http' | 'https'): { readonly host: string; readonly port: number } | null {
    const isMeant = ({ name }: Inherited): boolean =>
      name !== ADMIN && (protocol === 'https') === (name === 'https');
    const socket = this.fromServiceManager ? this.#sockets.find(isMeant) : undefined;
    return socket === undefined ? null : { host: socket.address, port: socket.port };
  }

  /** The socket of a listener, once; null: there is none. */
  take(address: string, port: number): BoundSocket | null {
    const found = this.#sockets.find((socket) => socket.address === address && socket.port === port);
    if (found === undefined) return null;
    this.#sockets = this.#sockets.filter((socket) => socket !== found);
    return found;
  }

  /** The socket of the admin listener, once; null: there is none. */
  takeAdmin(): (BoundSocket & { readonly address: string }) | null {
    const found = this.#sockets.find(({ name }) => name === ADMIN);
    if (found === undefined) return null;
    this.#sockets = this.#sockets.filter((socket) => socket !== found);
    return found;
  }

  /** Closes what no listener has taken. */
  closeRest(): void {
    for (const { handle } of this.#sockets) handle.close();
    this.#sockets = [];
  }
}

/** What a successor is started with, besides its arguments: descriptors from 4 on (3 is its channel), and their numbers. */
export function handedOver(
  handles: readonly SocketHandle[],
  admin: SocketHandle | null,
): {
  readonly stdio: readonly (SocketHandle | 'pipe')[];
  readonly env: Readonly<Record<string, string>>;
  /** The descriptor of the pipe that the secret of the tickets is to be written to. */
  readonly ticketsFd: number;
} {
  const first = FIRST_FD + 1;
  const stdio: (SocketHandle | 'pipe')[] = [...handles];
  const fds = handles.map((_, i) => String(first + i));
  if (admin !== null) {
    fds.push(`${first + stdio.length}:${ADMIN}`);
    stdio.push(admin);
  }
  const ticketsFd = first + stdio.length;
  fds.push(`${ticketsFd}:${TICKETS}`);
  stdio.push('pipe');
  return { stdio, env: { [HANDED_OVER]: fds.join(',') }, ticketsFd };
}
