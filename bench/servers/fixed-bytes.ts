// The limit of what a server on node:net could do: answers every read with the same bytes and looks at none. Right only
// for a client that sends one small request at a time per connection.
import { createServer } from 'node:net';
import { announceReady, benchPort } from './announce.ts';

const BODY = 'Hello, World!';
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\n' +
    'content-type: text/plain; charset=utf-8\r\n' +
    `content-length: ${BODY.length}\r\n` +
    `date: ${new Date().toUTCString()}\r\n\r\n${BODY}`,
  'latin1',
);

createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(answer));
  socket.on('error', () => socket.destroy());
}).listen(benchPort(), '127.0.0.1', () => announceReady());
