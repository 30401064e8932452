// WebSockets: messages that come back, small and large, plain and compressed, and one message to a thousand sockets.
import { webSocketContestant, type WebSocketLoad } from '../harness/websocket-contestant.ts';
import type { Scenario, Target } from '../harness/scenario.ts';
import { NODE, bunScript, howdahVersion, packageVersion, peerScript, serverScript } from './commands.ts';

function scenario(name: string, title: string, load: WebSocketLoad, targets: readonly Target[]): Scenario {
  const environment = load.deflate === true ? { BENCH_DEFLATE: '1' } : {};
  const ws = peerScript('ws.mjs', environment);
  const bun = { ...bunScript('bun-websocket.mjs'), environment };
  const howdah = serverScript('howdah-websocket.ts', environment);
  return {
    name,
    title,
    unit: 'messages/s',
    faster: 'higher',
    subject: 'howdah',
    contestants: [
      webSocketContestant({ name: 'ws', version: `${packageVersion('ws')}, ${NODE}`, server: ws, load }),
      webSocketContestant({ name: 'Bun', version: packageVersion('bun'), server: bun, load }),
      webSocketContestant({ name: 'howdah', version: howdahVersion(), server: howdah, load }),
    ],
    targets,
  };
}

const echo = { mode: 'echo', connections: 64, bytes: 64 } as const;

export const webSocketEcho = scenario(
  'websocket-echo',
  'Echo of 64-byte texts over WebSocket, 64 connections with one message in flight',
  echo,
  [{ against: 'ws', atLeast: 1.2 }],
);
export const webSocketEcho16 = scenario(
  'websocket-echo-16',
  'Echo of 64-byte texts over WebSocket, 64 connections with 16 messages in flight',
  { ...echo, inFlight: 16 },
  [
    { against: 'ws', atLeast: 3 },
    { against: 'Bun', atLeast: 0.7 },
  ],
);
export const webSocketDeflate = scenario(
  'websocket-deflate',
  'Echo of 2 KB texts with permessage-deflate, 64 connections with 4 messages in flight',
  { ...echo, bytes: 2048, inFlight: 4, deflate: true },
  [{ against: 'ws', atLeast: 1 }],
);
export const webSocketBinary = scenario(
  'websocket-binary',
  'Echo of 16 KB of bytes over WebSocket, 64 connections with one message in flight',
  { ...echo, bytes: 16_384, binary: true },
  [{ against: 'ws', atLeast: 1 }],
);
export const webSocketFanOut = scenario(
  'websocket-fan-out',
  'One 64-byte message to 1 000 WebSockets, the next when all have it',
  { mode: 'fanout', connections: 1001, bytes: 64 },
  [{ against: 'ws', atLeast: 1 }],
);
