// The example examples/chat.sql, as its page uses it: two visitors, a history, and who may not come in.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { startServe, temporaryDirectory } from '../cli/howdah-process.ts';
import { RawClient, statusOf } from '../support/http-fixture.ts';
import { frame, upgradeRequest } from '../server/websocket-fixture.ts';

const CHAT = fileURLToPath(new URL('../../examples/chat.sql', import.meta.url));

const request = (host: string, name: string, origin = `http://${host}`): string =>
  upgradeRequest(`Origin: ${origin}`)
    .replace('/chat', `/chat/socket?name=${name}`)
    .replace('Host: h', `Host: ${host}`);

async function visit(host: string, name: string): Promise<RawClient> {
  const client = await RawClient.connect(Number(host.split(':')[1]));
  client.send(request(host, name));
  await client.untilText('\r\n\r\n');
  assert.equal(statusOf(client.text), 101);
  return client;
}

test('the chat shows who comes, says what is said to all, remembers it, and shows who goes', async () => {
  using directory = temporaryDirectory();
  const args = ['--sql', CHAT];
  {
    await using server = await startServe(args, { cwd: directory.path });
    const { host } = new URL(server.url);
    const page = await fetch(`${server.url}/chat`);
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(await page.text(), /new WebSocket\(/);

    const anna = await visit(host, 'Anna');
    await anna.untilText('{"joined" : "Anna"}');
    const bert = await visit(host, 'Bert');
    await anna.untilText('{"joined" : "Bert"}');
    anna.send(frame(0x81, 'Guten Tag <b>'));
    for (const visitor of [anna, bert]) await visitor.untilText('"name":"Anna","message":"Guten Tag <b>"}');
    bert.send(frame(0x81, ''));
    bert.send(frame(0x81, 'an empty message is refused, and this one is not'));
    await anna.untilText('"name":"Bert","message":"an empty');
    bert.socket.destroy();
    await anna.untilText('{"left" : "Bert"}');

    const stranger = await RawClient.connect(Number(host.split(':')[1]));
    stranger.send(request(host, 'Eve', 'http://elsewhere.example'));
    assert.equal(statusOf(await stranger.untilText('\r\n\r\n')), 403);
    stranger.text = '';
    stranger.send(request(host, 'no%20name'));
    assert.equal(statusOf(await stranger.untilText('\r\n\r\n')), 403);
    anna.socket.destroy();
    stranger.socket.destroy();
  }
  await using again = await startServe(args, { cwd: directory.path });
  const late = await visit(new URL(again.url).host, 'Late');
  const text = await late.untilText('{"joined" : "Late"}');
  assert.ok(text.indexOf('Guten Tag') < text.indexOf('an empty message is refused'));
  late.socket.destroy();
});
