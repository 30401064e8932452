// The package ws, as its README has it: what comes goes back; what comes on /publish goes to all the others. BENCH_DEFLATE=1: with
// permessage-deflate and its default options.
import { WebSocketServer } from 'ws';
import { announceReady, benchPort } from '../servers/announce.ts';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: benchPort(),
  perMessageDeflate: process.env['BENCH_DEFLATE'] === '1' ? { threshold: 1024 } : false,
});
const audience = new Set();
server.on('connection', (socket, request) => {
  if (request.url === '/publish') {
    socket.on('message', (data, binary) => {
      for (const other of audience) other.send(data, { binary });
    });
    return;
  }
  audience.add(socket);
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('close', () => audience.delete(socket));
});
server.on('listening', () =>
  announceReady(async () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }),
);
