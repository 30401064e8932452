// Who a server is among those of its database (howdah.nodes). Writes nothing.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

export interface NodeIdentity {
  /** Made at each start. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
}

export function ownIdentity(version: string): NodeIdentity {
  return { id: randomUUID(), host: hostname(), pid: process.pid, version };
}
