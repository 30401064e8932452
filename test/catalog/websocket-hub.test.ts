// When the hub of WebSockets asks the database, and what it does with the answers: over a dispatcher that only writes down.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallResult, SqlCall } from '../../src/database/call.ts';
import { readMessages } from '../../src/catalog/websocket-calls.ts';
import { WebSocketHub, type HubSocket } from '../../src/catalog/websocket-hub.ts';
import type { Observation } from '../../src/observe/observation.ts';

const ROW = (value: Buffer | null): CallResult => ({ kind: 'row', columns: [value] });

function start() {
  const calls: SqlCall[] = [];
  const observations: Observation[] = [];
  const hub = new WebSocketHub(
    { dispatch: (call) => void calls.push(call) },
    { observe: (seen) => void observations.push(seen) },
  );
  return {
    hub,
    observations,
    /** What was asked and not answered yet, by the name of the function. */
    asked: () => calls.map(({ statement }) => /howdah\.(\w+)/.exec(statement.text)?.[1] ?? ''),
    /** Answers the oldest call. */
    answer: (result: CallResult = ROW(null)): SqlCall => {
      const call = calls.shift();
      assert.ok(call !== undefined);
      call.complete(result);
      return call;
    },
  };
}

class Socket implements HubSocket {
  readonly id: string;
  readonly got: string[] = [];
  takes = true;
  constructor(id: string) {
    this.id = id;
  }
  deliver(payload: Buffer, isText: boolean): boolean {
    if (this.takes) this.got.push(`${isText ? 'text' : 'bytes'} ${payload.toString('latin1')}`);
    return this.takes;
  }
}

function message(socket: string, isText: boolean, payload: string): Buffer {
  const head = Buffer.alloc(21);
  head.write(socket.replaceAll('-', ''), 0, 'hex');
  head[16] = isText ? 1 : 0;
  head.writeInt32BE(payload.length, 17);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const nodeOf = (socket: HubSocket): string => socket.id.slice(0, 13);

describe('the hub of WebSockets', () => {
  test('identifiers are uuids of version 8, all different, that begin with the process', () => {
    const { hub } = start();
    const ids = Array.from({ length: 1000 }, () => hub.newId());
    assert.equal(new Set(ids).size, 1000);
    assert.equal(new Set(ids.map((id) => id.slice(0, 13))).size, 1);
    for (const id of ids) {
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('a socket waits until senders know of the process; the next ones need not', () => {
    const { hub, asked, answer } = start();
    const done: boolean[] = [];
    hub.add(new Socket(hub.newId()), (registered) => done.push(registered));
    hub.add(new Socket(hub.newId()), (registered) => done.push(registered));
    assert.deepEqual(asked(), ['keep_websocket_node']);
    assert.equal(done.length, 0);
    answer();
    hub.add(new Socket(hub.newId()), (registered) => done.push(registered));
    assert.deepEqual(done, [true, true, true]);
    assert.deepEqual(asked(), []);
  });

  test('where that fails the socket is told, and the next one asks again', () => {
    const { hub, asked, answer } = start();
    const done: boolean[] = [];
    hub.add(new Socket(hub.newId()), (registered) => done.push(registered));
    answer({ kind: 'unavailable', reason: 'away' });
    hub.add(new Socket(hub.newId()), (registered) => done.push(registered));
    assert.deepEqual(asked(), ['keep_websocket_node']);
    answer();
    assert.deepEqual(done, [false, true]);
  });

  test('a notification for this process takes messages, and delivers them in order; one for another does not', () => {
    const { hub, asked, answer } = start();
    const socket = new Socket(hub.newId());
    hub.add(socket, () => {});
    answer();
    hub.wake('01234567-89ab');
    assert.deepEqual(asked(), []);
    hub.wake(nodeOf(socket));
    hub.wake(nodeOf(socket));
    assert.deepEqual(asked(), ['take_websocket_messages']);
    answer(
      ROW(
        Buffer.concat([
          message(socket.id, true, 'one'),
          message(socket.id, false, ''),
          message(socket.id, true, '3'),
        ]),
      ),
    );
    assert.deepEqual(socket.got, ['text one', 'bytes ', 'text 3']);
    // The second notification came while the first was being answered.
    assert.deepEqual(asked(), ['take_websocket_messages']);
    answer();
    assert.deepEqual(asked(), []);
  });

  test('a full take is followed by another', () => {
    const { hub, asked, answer } = start();
    const socket = new Socket(hub.newId());
    hub.add(socket, () => {});
    answer();
    hub.wake(nodeOf(socket));
    answer(ROW(Buffer.concat(Array.from({ length: 500 }, () => message(socket.id, true, 'x')))));
    assert.deepEqual(asked(), ['take_websocket_messages']);
    answer(ROW(message(socket.id, true, 'last')));
    assert.deepEqual(asked(), []);
    assert.equal(socket.got.length, 501);
  });

  test('what reaches nobody is counted: the socket is gone, or does not keep up', () => {
    const { hub, asked, answer } = start();
    const [slow, gone] = [new Socket(hub.newId()), new Socket(hub.newId())];
    for (const socket of [slow, gone]) hub.add(socket, () => {});
    answer();
    slow.takes = false;
    hub.remove(gone);
    hub.wake(nodeOf(slow));
    answer(ROW(Buffer.concat([slow, gone, gone].map(({ id }) => message(id, true, 'x')))));
    assert.deepEqual(asked(), ['count_websocket_undelivered']);
    assert.deepEqual(answer().parameters, ['3']);
  });

  test('a poll takes what no notification told of, repeats that we are there, and leaves when no socket is left', async () => {
    const { hub, asked, answer } = start();
    const socket = new Socket(hub.newId());
    hub.poll(1_000_000);
    assert.deepEqual(asked(), []);
    hub.add(socket, () => {});
    answer();
    hub.poll(1_000_000);
    assert.deepEqual(asked(), ['keep_websocket_node', 'take_websocket_messages']);
    answer();
    answer();
    hub.poll(1_001_000);
    assert.deepEqual(asked(), ['take_websocket_messages']);
    // A database that was away may have forgotten us.
    answer({ kind: 'lost', reason: 'away' });
    hub.poll(1_002_000);
    assert.deepEqual(asked(), ['keep_websocket_node', 'take_websocket_messages']);
    answer();
    answer();
    hub.remove(socket);
    hub.poll(1_003_000);
    assert.deepEqual(asked(), ['leave_websocket_node']);
    const done: boolean[] = [];
    hub.add(new Socket(hub.newId()), (registered) => done.push(registered));
    assert.deepEqual(asked(), ['leave_websocket_node']);
    answer();
    assert.deepEqual(asked(), ['keep_websocket_node']);
    answer();
    assert.deepEqual(done, [true]);
  });

  test('closing waits for the sockets, and then leaves', async () => {
    const { hub, asked, answer } = start();
    const socket = new Socket(hub.newId());
    hub.add(socket, () => {});
    answer();
    const closed = hub.close();
    assert.deepEqual(asked(), []);
    hub.remove(socket);
    await Promise.resolve();
    assert.deepEqual(asked(), ['leave_websocket_node']);
    answer();
    await closed;
  });

  test('a statement that fails is observed', () => {
    const { hub, observations, answer } = start();
    const socket = new Socket(hub.newId());
    hub.add(socket, () => {});
    answer();
    hub.wake(nodeOf(socket));
    answer({ kind: 'failed', error: { severity: 'ERROR', code: '42P01', message: 'no outbox' } });
    assert.equal(observations[0]?.kind, 'internal-error');
  });
});

test('messages are read as the database puts them together', () => {
  const id = '01234567-89ab-8def-8123-456789abcdef';
  const bytes = Buffer.concat([message(id, true, 'a'), message(id, false, '')]);
  assert.deepEqual(
    Array.from(readMessages(bytes), ({ socket, isText, payload }) => [socket, isText, payload.toString()]),
    [
      [id, true, 'a'],
      [id, false, ''],
    ],
  );
});
