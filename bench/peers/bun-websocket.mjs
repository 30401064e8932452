// Bun's own WebSocket server: what comes goes back; what comes on /publish goes to all the others, by its topics. Run by bun, not by node.
import { announceReady, benchPort } from '../servers/announce.ts';

const deflate = process.env.BENCH_DEFLATE === '1';
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: benchPort(),
  fetch(request, self) {
    const publishes = new URL(request.url).pathname === '/publish';
    return self.upgrade(request, { data: { publishes } })
      ? undefined
      : new Response('no WebSocket', { status: 400 });
  },
  websocket: {
    perMessageDeflate: deflate,
    open(socket) {
      if (!socket.data.publishes) socket.subscribe('all');
    },
    message(socket, message) {
      if (socket.data.publishes) server.publish('all', message);
      else socket.send(message, deflate);
    },
  },
});
announceReady();
