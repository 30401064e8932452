// How long it takes from a request whose handler publishes an event until a client that listens has it: one at a time. Run by Node.js;
// prints one line of JSON.   { port, kind: 'stream' | 'websocket', warmUpSeconds, seconds }
import { connect } from 'node:net';

const { port, kind, warmUpSeconds, seconds } = JSON.parse(process.argv[2]);
const head = (target, ...fields) =>
  [`GET ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...fields, '\r\n'].join('\r\n');
const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

let heard = '';
let wake = () => {};
const listening = connect({ port, host: '127.0.0.1', noDelay: true });
listening.on('data', (chunk) => {
  heard += chunk.toString('latin1');
  wake();
});
const until = async (text) => {
  while (!heard.includes(text)) await new Promise((resolve) => (wake = resolve));
};
listening.write(kind === 'websocket' ? head('/socket', ...upgrade) : head('/stream'));
await until('\r\n\r\n');
// The place that a stream begins at; a socket listens as soon as it is open.
if (kind === 'stream') await until('id: ');

const asking = connect({ port, host: '127.0.0.1', noDelay: true });
let answers = '';
let answered = () => {};
asking.on('data', (chunk) => {
  answers += chunk.toString('latin1');
  if (answers.includes('\r\n\r\n')) answered();
});
const latencies = [];
const begin = performance.now();
for (let n = 0; performance.now() - begin < (warmUpSeconds + seconds) * 1000; n += 1) {
  answers = '';
  heard = '';
  const whole = new Promise((resolve) => (answered = resolve));
  const sentAt = performance.now();
  asking.write(head(`/publish?n${n}n`));
  await until(`n${n}n`);
  if (sentAt - begin > warmUpSeconds * 1000) latencies.push((performance.now() - sentAt) * 1000);
  await whole;
  if (!answers.startsWith('HTTP/1.1 204')) {
    console.log(JSON.stringify({ failure: `the answer was ${answers.slice(0, 40)}` }));
    process.exit(0);
  }
}
latencies.sort((a, b) => a - b);
const at = (share) => latencies[Math.floor(latencies.length * share)] ?? null;
console.log(JSON.stringify({ events: latencies.length, p50Us: at(0.5), p99Us: at(0.99) }));
process.exit(0);
