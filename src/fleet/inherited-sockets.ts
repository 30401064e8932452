// Listening sockets that were open before this process: from systemd (sd_listen_fds(3)), or from the process whose place this one
// takes. They serve the listeners with their address and port; what none asks for is closed.
import type { SocketHandle } from '../transport/socket-handle.ts';
import { inheritedSocket, type BoundSocket } from '../transport/socket-handle.ts';

/** systemd hands over file descriptors from here on. */
const FIRST_FD = 3;

/** File descriptors from a predecessor: numbers, separated by commas, that of the admin listener with `:admin`. */
export const HANDED_OVER = 'HOWDAH_HANDED_OVER_FDS';

const ADMIN = 'admin';

interface Inherited extends BoundSocket {
  readonly address: string;
  /** FileDescriptorName= of its unit. */
  readonly name: string;
}

export class InheritedSockets {
  #sockets: Inherited[];
  readonly fromServiceManager: boolean;

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
    this.#sockets = found.map(({ fd, name }) => ({ ...inheritedSocket(fd), name }));
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
  readonly stdio: readonly SocketHandle[];
  readonly env: Readonly<Record<string, string>>;
} {
  const fds = handles.map((_, i) => String(FIRST_FD + 1 + i));
  if (admin === null) return { stdio: handles, env: { [HANDED_OVER]: fds.join(',') } };
  fds.push(`${FIRST_FD + 1 + handles.length}:${ADMIN}`);
  return { stdio: [...handles, admin], env: { [HANDED_OVER]: fds.join(',') } };
}
