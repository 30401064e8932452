// What becomes of the calls of one WebSocket that SQL serves where the database does not run them: over a dispatcher that only writes down.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { CatalogOptions } from '../../src/catalog/catalog-options.ts';
import { SqlWebSocket } from '../../src/catalog/sql-websocket.ts';
import type { WebSocketApplication } from '../../src/catalog/websocket-application.ts';
import { WebSocketHub } from '../../src/catalog/websocket-hub.ts';
import type { CallResult, SqlCall } from '../../src/database/call.ts';
import type { Observation } from '../../src/observe/observation.ts';
import type { WebSocketConnection } from '../../src/server/websocket-connection.ts';
import { FakeExchange } from './fake-exchange.ts';

mock.timers.enable({ apis: ['setTimeout'] });

const DONE: CallResult = { kind: 'no-row' };
const AWAY: CallResult = { kind: 'unavailable', reason: 'no session took it within 10000 ms' };
const failed = (code: string): CallResult => ({
  kind: 'failed',
  error: { severity: 'FATAL', code, message: 'terminating connection due to administrator command' },
});

function open(onError: 'keep' | 'close') {
  const calls: SqlCall[] = [];
  const observations: Observation[] = [];
  const dispatcher = { dispatch: (call: SqlCall) => void calls.push(call) };
  const observer = { observe: (seen: Observation) => void observations.push(seen) };
  const said: string[] = [];
  const connection = {
    pause: () => void said.push('pause'),
    resume: () => void said.push('resume'),
    close: (code: number) => void said.push(`close ${code}`),
  } as unknown as WebSocketConnection;
  const callback = (name: string) => ({
    name,
    arguments: name === 'text' ? (['socket', 'data'] as const) : (['socket'] as const),
    statement: { name, text: name, parameterTypes: [], resultFormat: 1 as const },
  });
  const application: WebSocketApplication = {
    handshake: callback('handshake'),
    givesOutcome: false,
    onOpen: callback('open'),
    onText: callback('text'),
    onBinary: null,
    onClose: callback('close'),
    closesOnError: onError === 'close',
    groups: [],
  };
  const options = { dispatcher, observer, handlerTimeoutMs: 1000 } as unknown as CatalogOptions;
  const hub = new WebSocketHub(dispatcher, observer);
  const socket = new SqlWebSocket(options, hub, new FakeExchange({}));
  hub.add(socket, () => {});
  calls.shift()?.complete(DONE);
  socket.prepare(application, {}, null);
  socket.open(connection);
  return {
    socket,
    hub,
    said,
    observations,
    send: (message: string) => socket.message(connection, message),
    /** Ends the call that runs; what it was. */
    end: (result: CallResult): string => {
      const call = calls.shift();
      assert.ok(call !== undefined, 'nothing runs');
      assert.ok(calls.length === 0, 'one at a time');
      call.complete(result);
      return [call.statement.name, ...call.parameters.slice(1)].join(' ');
    },
    runs: () => calls.length > 0,
    told: () => observations.map((seen) => (seen.kind === 'handler-failed' ? seen.message : seen.kind)),
  };
}

test('with on_error keep, messages wait in order while the database is away, and run when it is back; it is told once', () => {
  const { send, end, runs, told, said } = open('keep');
  assert.equal(end(DONE), 'open');
  send('one');
  send('two');
  for (const result of [AWAY, failed('57P01'), AWAY]) {
    assert.equal(end(result), 'text one');
    assert.equal(runs(), false);
    mock.timers.tick(1000);
  }
  assert.equal(end(DONE), 'text one');
  assert.equal(end(DONE), 'text two');
  assert.deepEqual(told(), ['it waits until the database is back: no session took it within 10000 ms']);
  assert.deepEqual(said, []);
  send('three');
  assert.equal(end(AWAY), 'text three');
  assert.equal(told().length, 2);
});

test('the client is held back while 16 messages wait, and goes on afterwards', () => {
  const { send, end, said } = open('keep');
  assert.equal(end(AWAY), 'open');
  for (let n = 1; n <= 15; n += 1) send(`${n}`);
  assert.deepEqual(said, ['pause']);
  mock.timers.tick(1000);
  assert.equal(end(DONE), 'open');
  assert.deepEqual(said, ['pause', 'resume']);
  for (let n = 1; n <= 15; n += 1) assert.equal(end(DONE), `text ${n}`);
});

test('a call that may have run is not run again, and neither is one that fails by itself', () => {
  const { send, end, told } = open('keep');
  assert.equal(end(DONE), 'open');
  send('one');
  send('two');
  send('three');
  assert.equal(end({ kind: 'lost', reason: 'the connection ended' }), 'text one');
  assert.equal(end(failed('P0001')), 'text two');
  assert.equal(end(DONE), 'text three');
  assert.equal(told().length, 2);
});

test('once the client has left, each call is tried once more, and on_close is the last', () => {
  const { socket, hub, send, end, runs, told } = open('keep');
  assert.equal(end(DONE), 'open');
  send('one');
  send('two');
  assert.equal(end(AWAY), 'text one');
  socket.close();
  assert.equal(end(DONE), 'text one');
  assert.equal(end(AWAY), 'text two');
  assert.equal(hub.size, 1);
  assert.equal(end(AWAY), 'close');
  assert.equal(hub.size, 0);
  mock.timers.tick(10_000);
  assert.equal(runs(), false);
  assert.deepEqual(told().slice(1), [
    'it was not called: no session took it within 10000 ms',
    'it was not called: no session took it within 10000 ms',
  ]);
});

test('with on_error close, the client is told to come again: 1013 where the call has not run, 1011 where it has failed', () => {
  const { send, end, said } = open('close');
  assert.equal(end(DONE), 'open');
  send('one');
  send('two');
  assert.equal(end(AWAY), 'text one');
  assert.equal(end(failed('P0001')), 'text two');
  assert.deepEqual(said, ['close 1013', 'close 1011']);
});
