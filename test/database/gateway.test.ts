// The gateway as SQL clients see it: pg, psql, and raw protocol where those are too well-behaved.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import type { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';
import { startGateway, type Gateway } from '../../src/database/gateway/gateway.ts';
import { MessageWriter } from '../../src/protocol/postgres/message-writer.ts';
import {
  writeClose,
  writeQuery,
  writeStartup,
  writeSync,
} from '../../src/protocol/postgres/frontend-messages.ts';
import { client, psql, QUIET, rawConnection, values } from './gateway-clients.ts';
import { call } from './session-subject.ts';
import { openTestEmbedded, type TestEmbedded } from './support/embedded.ts';

describe('the gateway', () => {
  let embedded: TestEmbedded;
  let database: EmbeddedDatabase;
  let gateway: Gateway;

  before(async () => {
    embedded = await openTestEmbedded();
    database = embedded.database;
    gateway = await startGateway(database, { host: '127.0.0.1', port: 0 }, QUIET);
    await database.exec('create table items (id int primary key, name text)');
  });
  after(async () => {
    await gateway.close();
    await database.close();
  });

  it('serves queries with and without parameters, and errors with their fields', async (context) => {
    const one = await client(context, gateway);
    assert.deepEqual(await values(one, "select 1, 'ä'"), [1, 'ä']);
    assert.deepEqual((await one.query('select $1::int + 1 as x', [41])).rows, [{ x: 42 }]);
    await assert.rejects(one.query('select 1 / 0'), { code: '22012', severity: 'ERROR' });
    await assert.rejects(one.query('select $1::int', ['no number']), { code: '22P02' });
    assert.deepEqual(await values(one, 'select 2'), [2]);
  });

  it('serves psql, with \\d, COPY in both directions, variables of the session and LISTEN', async () => {
    const { output, code } = await psql(
      gateway.url,
      `create table copied (a int, b text);
\\copy copied from stdin
1\tone
2\ttwo
\\.
copy copied to stdout;
begin;
copy copied from stdin;
3\tthree
\\.
rollback;
select count(*) from copied;
copy copied from stdin;
no number\tx
\\.
select 'still here';
set work_mem = '7MB';
show work_mem;
\\d copied
listen here;
notify here, 'hello';
select 'last';
`,
    );
    assert.equal(code, 0, output);
    assert.match(output, /1\tone\n2\ttwo\n2\n/);
    assert.match(output, /invalid input syntax for type integer: "no number"/);
    assert.match(output, /still here\n7MB\n/);
    assert.match(output, /a\|integer\|/);
    assert.match(output, /notification "here" with payload "hello"/);
    assert.match(output, /last\n/);
    assert.equal((await database.query('show work_mem')).rows[0]?.[0], '4MB');
  });

  it('keeps a transaction whole: calls and other clients wait until it is over', async (context) => {
    const [one, other] = [await client(context, gateway), await client(context, gateway)];
    await one.query('begin');
    await one.query("insert into items values (1, 'one')");
    const order: string[] = [];
    const waits = [
      other
        .query('select count(*)::int as n from items')
        .then(({ rows }) => order.push(`client ${JSON.stringify(rows)}`)),
      call(database, 'select count(*) from items').then((answer) =>
        order.push(`call ${answer.kind === 'row' ? answer.columns[0] : answer.kind}`),
      ),
    ];
    await one.query("insert into items values (2, 'two')");
    order.push('commit');
    await one.query('commit');
    await Promise.all(waits);
    assert.equal(order[0], 'commit');
    assert.deepEqual([...order].sort(), ['call 2', 'client [{"n":2}]', 'commit']);
    await other.query('delete from items');
  });

  it('lets a failed transaction be ended by its client', async (context) => {
    const one = await client(context, gateway);
    await one.query('begin');
    await assert.rejects(one.query('select 1 / 0'), { code: '22012' });
    await assert.rejects(one.query('select 1'), { code: '25P02' });
    await one.query('rollback');
    assert.deepEqual(await values(one, 'select 1'), [1]);
  });

  it('rolls back what a client leaves open when it disconnects', async (context) => {
    const raw = await rawConnection(gateway);
    const writer = new MessageWriter();
    writeQuery(writer, "begin; insert into items values (77, 'left')");
    raw.socket.write(Buffer.from(writer.take()));
    await once(raw.socket, 'data');
    raw.socket.destroy();
    const one = await client(context, gateway);
    assert.deepEqual(await values(one, 'select count(*)::int from items where id = 77'), [0]);
    assert.equal((await call(database, 'select 1')).kind, 'row');
  });

  it('runs what a client sent before it said goodbye', async (context) => {
    const raw = await rawConnection(gateway);
    const writer = new MessageWriter();
    writeQuery(writer, "insert into items values (78, 'sent')");
    writer.begin(0x58);
    writer.end();
    raw.socket.write(writer.take());
    await raw.ended;
    const one = await client(context, gateway);
    assert.deepEqual(await values(one, 'delete from items where id = 78 returning id'), [78]);
  });

  it('keeps settings, roles and search_path with their client', async (context) => {
    const [one, other] = [
      await client(context, gateway, { application_name: 'one' }),
      await client(context, gateway, { options: '-c work_mem=9MB' }),
    ];
    await one.query('create role gateway_role; grant select on items to gateway_role');
    await one.query("set search_path = pg_catalog; set work_mem = '6MB'");
    await one.query('set role gateway_role');
    const state =
      "select current_user::text, current_setting('search_path'), current_setting('work_mem'), current_setting('application_name')";
    assert.deepEqual(await values(other, state), ['postgres', '"$user", public', '9MB', '']);
    assert.deepEqual(await values(one, state), ['gateway_role', 'pg_catalog', '6MB', 'one']);
    assert.deepEqual(await call(database, state), {
      kind: 'row',
      columns: ['postgres', '"$user", public', '4MB', ''],
    });
    await one.query("reset role; select set_config('work_mem', '5MB', false)");
    assert.deepEqual((await values(one, state)).slice(0, 3), ['postgres', 'pg_catalog', '5MB']);
    await one.query('begin');
    await one.query("set work_mem = '8MB'");
    await one.query('rollback');
    assert.deepEqual((await values(one, state)).slice(2, 3), ['5MB']);
    await one.query('discard all');
    assert.deepEqual(await values(one, state), ['postgres', '"$user", public', '4MB', '']);
    assert.deepEqual((await values(other, state)).slice(2, 3), ['9MB']);
  });

  it('tells a client of settings that changed', async (context) => {
    const one = await client(context, gateway);
    const told: string[] = [];
    // pg has no types for its connection.
    const { connection } = one as unknown as { connection: NodeJS.EventEmitter };
    connection.on('parameterStatus', ({ parameterName, parameterValue }: Record<string, string>) =>
      told.push(`${parameterName}=${parameterValue}`),
    );
    await one.query("set time zone 'Europe/Berlin'; set application_name = 'renamed'");
    await one.query('reset time zone');
    assert.deepEqual(told, ['application_name=renamed', 'TimeZone=Europe/Berlin', 'TimeZone=UTC']);
  });

  it('keeps prepared statements of the same name apart, and across DISCARD ALL of another client', async (context) => {
    const [one, other] = [await client(context, gateway), await client(context, gateway)];
    const ask = async (of: Client, text: string, value: string): Promise<unknown> =>
      (await of.query({ name: 'same', text, values: [value] })).rows[0]?.x;
    assert.equal(await ask(one, 'select $1::text as x', '1'), '1');
    assert.equal(await ask(other, 'select $1::int * 2 as x', '4'), 8);
    assert.equal(await ask(one, 'select $1::text as x', '2'), '2');
    await other.query('discard all');
    assert.equal(await ask(one, 'select $1::text as x', '3'), '3');
    assert.deepEqual(await call(database, 'select 1'), { kind: 'row', columns: ['1'] });
  });

  it('leaves no statements of a client that is gone', async () => {
    const one = new Client({ connectionString: gateway.url });
    await one.connect();
    await one.query({ name: 'leaves', text: 'select 1' });
    await one.end();
    const count = "select count(*) from pg_prepared_statements where name like 'client%leaves'";
    assert.deepEqual((await database.query(count)).rows, [['0']]);
  });

  it('keeps temporary tables of a client from the resets after calls, until it leaves', async (context) => {
    const one = await client(context, gateway);
    await one.query('create temp table mine (x int)');
    await call(database, 'select 1', [], { resetAfter: true });
    await one.query('insert into mine values (1)');
    assert.deepEqual(await values(one, 'select x from mine'), [1]);
    await one.end();
    await assert.rejects(database.query('select * from mine'), { name: 'SqlFailure' });
  });

  it('passes notifications to the clients that listen, and goes on listening when one stops', async (context) => {
    const [one, other, third] = [
      await client(context, gateway),
      await client(context, gateway),
      await client(context, gateway),
    ];
    const heard: string[] = [];
    const last = Promise.withResolvers<void>();
    for (const [name, listener] of [
      ['one', one],
      ['other', other],
      ['third', third],
    ] as const) {
      listener.on('notification', ({ channel, payload }) => {
        heard.push(`${name} ${channel} ${payload}`);
        if (payload === 'last') last.resolve();
      });
    }
    await one.query('LISTEN news');
    await other.query('listen "news"; listen more');
    await third.query("notify news, 'a'");
    await other.query('unlisten *');
    await call(database, "select pg_notify('news', 'b')");
    await call(database, "select pg_notify('more', 'c')");
    await third.query("notify news, 'last'");
    await last.promise;
    assert.deepEqual(heard.sort(), ['one news a', 'one news b', 'one news last', 'other news a']);
    // The engine itself still hears the catalog.
    await third.query("notify howdah_catalog, '5'");
    assert.deepEqual(await call(database, 'select 1', [], { epoch: '4' }), { kind: 'stale' });
  });

  it('lets calls and a busy client both get on', async (context) => {
    const one = await client(context, gateway);
    const pumping = new AbortController();
    let calls = 0;
    const pump = async (): Promise<void> => {
      while (!pumping.signal.aborted) {
        await call(database, 'select 1');
        calls += 1;
      }
    };
    const pumps = Array.from({ length: 20 }, pump);
    for (let round = 0; round < 30; round += 1) await one.query('select 1');
    const callsMeanwhile = calls;
    pumping.abort();
    await Promise.all(pumps);
    assert.ok(callsMeanwhile >= 30, `${callsMeanwhile} calls beside 30 queries`);
  });

  it('ends a client that breaks the protocol, and nothing else', async () => {
    for (const bytes of [
      Buffer.from('!\0\0\0\x04', 'latin1'),
      Buffer.from('Q\0\0\0\x03', 'latin1'),
      Buffer.from('S\0\0\x40\0', 'latin1'),
      Buffer.from('Q\x7f\xff\xff\xff', 'latin1'),
      Buffer.from('D\0\0\0\x05S', 'latin1'),
    ]) {
      const raw = await rawConnection(gateway);
      raw.socket.write(Buffer.concat([bytes, Buffer.alloc(0x4000)]));
      await raw.ended;
      assert.match(raw.received(), /FATAL\0C08P01\0/);
    }
    assert.equal((await call(database, 'select 1')).kind, 'row');
  });

  it('passes names on as long as PostgreSQL takes them, and ends who has a longer one, but not the engine', async () => {
    const lost = embedded.observations.filter(({ kind }) => kind === 'session-lost').length;
    const answers: string[] = [];
    // The longest message is one of 10 000 bytes, with the name that the gateway makes of this one.
    for (const length of [9900, 9960, 9980, 9990, 9994, 9996, 10_000]) {
      const raw = await rawConnection(gateway);
      const writer = new MessageWriter();
      writeClose(writer, 'statement', 'n'.repeat(length));
      writeSync(writer);
      raw.socket.write(writer.take());
      raw.socket.end();
      await raw.ended;
      answers.push(raw.received().includes('C08P01') ? 'refused' : 'closed');
    }
    assert.deepEqual([answers[0], answers.at(-1)], ['closed', 'refused']);
    assert.deepEqual(answers, answers.toSorted());
    assert.equal((await call(database, 'select 1')).kind, 'row');
    assert.equal(embedded.observations.filter(({ kind }) => kind === 'session-lost').length, lost);
  });

  it('survives messages that are out of place', async () => {
    for (const bytes of [
      'c\0\0\0\x04',
      'f\0\0\0\x05\0',
      'd\0\0\0\x04',
      'B\0\0\0\x0c\0\0\0\0\0\0\0\0',
      'E\0\0\0\x09\0\0\0\0\0',
      'Q\0\0\0\x05x',
      'P\0\0\0\x08\0x\0\0',
      'F\0\0\0\x06\0\0',
    ]) {
      const raw = await rawConnection(gateway);
      const writer = new MessageWriter();
      writer.bytes(Buffer.from(bytes, 'latin1'));
      writeSync(writer);
      raw.socket.write(writer.take());
      raw.socket.end();
      await raw.ended;
    }
    assert.equal((await call(database, 'select 1')).kind, 'row');
  });

  it('refuses encryption with one byte, and goes on', async () => {
    const [host, port] = gateway.address.split(':');
    const socket = connect(Number(port), host);
    socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
    assert.equal(String((await once(socket, 'data'))[0]), 'N');
    socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]));
    assert.equal(String((await once(socket, 'data'))[0]), 'N');
    const writer = new MessageWriter();
    writeStartup(writer, { user: 'somebody' });
    socket.write(writer.take());
    assert.ok(String((await once(socket, 'data'))[0]).startsWith('R\0\0\0\x08'));
    socket.destroy();
  });

  it('lets a cancel request pass by', async () => {
    const [host, port] = gateway.address.split(':');
    const socket = connect(Number(port), host);
    socket.resume();
    socket.write(Buffer.from([0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 0, 0, 0, 1]));
    await once(socket, 'close');
    assert.equal((await call(database, 'select 1')).kind, 'row');
  });
});
