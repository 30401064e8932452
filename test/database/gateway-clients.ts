// SQL clients of a gateway: the driver pg, psql, and a connection that says what a test wants it to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Client } from 'pg';
import type { Gateway } from '../../src/database/gateway/gateway.ts';
import { writeStartup } from '../../src/protocol/postgres/frontend-messages.ts';
import { MessageWriter } from '../../src/protocol/postgres/message-writer.ts';

export const QUIET = { observe: () => undefined };

export async function client(context: TestContext, gateway: Gateway, options: object = {}): Promise<Client> {
  const opened = new Client({ connectionString: gateway.url, ...options });
  opened.on('error', () => undefined);
  await opened.connect();
  context.after(() => opened.end().catch(() => undefined));
  return opened;
}

export async function values(of: Client, text: string): Promise<unknown[]> {
  const { rows } = await of.query<unknown[]>({ text, rowMode: 'array' });
  return rows.flat();
}

export async function psql(
  url: string,
  input: string,
  args: string[] = [],
): Promise<{ output: string; code: number }> {
  const child = spawn('psql', [url, '-X', '-q', '-A', '-t', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (output += text.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { output, code };
}

/** A connection that has started, and what came since. */
export async function rawConnection(
  gateway: Gateway,
): Promise<{ socket: Socket; received: () => string; ended: Promise<unknown> }> {
  const [host, port] = gateway.address.split(':');
  const socket = connect(Number(port), host);
  let received = '';
  socket.on('error', () => undefined);
  const writer = new MessageWriter();
  writeStartup(writer, { user: 'postgres' });
  socket.write(writer.take());
  const ready = Promise.withResolvers<void>();
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    if (received.endsWith('Z\0\0\0\x05I')) ready.resolve();
  });
  await ready.promise;
  return { socket, received: () => received, ended: once(socket, 'close') };
}
