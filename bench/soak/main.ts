// `npm run bench:soak`: loads howdah for minutes in every way, one after the other and again, and looks whether its memory grows.
// Ends with status 1 where it does, or where an answer was wrong.
import { parseArgs } from 'node:util';
import { chooseCores } from '../harness/cores.ts';
import { findH2LoadFault, runH2Load } from '../harness/h2load.ts';
import type { H2Load } from '../harness/h2load.ts';
import { memoryBytes } from '../harness/memory.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startServer } from '../harness/server-process.ts';
import { findLoadErrors, runWrk } from '../harness/wrk.ts';
import type { WrkLoad } from '../harness/wrk.ts';
import { benchFile, howdahServe } from '../scenarios/commands.ts';
import { FIRST_ITEM, itemBody, NOTE } from '../servers/items.ts';
import { findGrowth } from './growth.ts';
import type { Reading } from './growth.ts';

const DEFAULT_SECONDS = 600;
const LEAST_SECONDS = 30;
const STEP_SECONDS = 2;
const MEGABYTE = 1024 * 1024;

const item = `/item/${FIRST_ITEM}`;
const WRK: Readonly<Record<string, WrkLoad>> = {
  'look-ups over HTTP/1.1': { connections: 32, target: item, script: 'items.lua' },
  'a new connection for each': {
    connections: 8,
    target: item,
    script: 'summary.lua',
    fields: ['Connection: close'],
  },
  'fifty rows': { connections: 16, target: `/rows/${FIRST_ITEM}`, script: 'summary.lua' },
  bodies: {
    connections: 16,
    target: '/ring',
    script: 'summary.lua',
    post: NOTE,
    fields: ['Content-Type: application/json'],
  },
};
const H2: H2Load = { scheme: 'http', protocol: 'h2', connections: 4, streams: 16, target: item };

const { values } = parseArgs({ options: { seconds: { type: 'string', default: String(DEFAULT_SECONDS) } } });
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < LEAST_SECONDS) {
  console.error(
    `npm run bench:soak -- [--seconds S]     S: at least ${LEAST_SECONDS} (default ${DEFAULT_SECONDS})`,
  );
  process.exit(2);
}

const folders = ['items', 'rows', 'soak'].flatMap((name) => ['--sql', benchFile(`sql/${name}`)]);
const { server: serverCore, load: loadCore } = chooseCores();
const server = await startServer(howdahServe('--memory', ...folders), await freePort(), serverCore);
const began = performance.now();
const elapsed = (): number => (performance.now() - began) / 1000;
const readings: Reading[] = [];
let requests = 0;

async function step(name: string, run: () => Promise<string | null>): Promise<void> {
  const fault = await run();
  if (fault !== null) throw new Error(`${name}: ${fault}`);
}

async function loadOnce(): Promise<void> {
  for (const [name, load] of Object.entries(WRK)) {
    await step(name, async () => {
      const { summary } = await runWrk(load, server.port, STEP_SECONDS, loadCore);
      requests += summary.requests;
      return findLoadErrors(summary);
    });
  }
  await step('look-ups over HTTP/2', async () => {
    const { summary } = await runH2Load(H2, server.port, STEP_SECONDS, loadCore);
    requests += summary.requests;
    return findH2LoadFault(summary, H2, itemBody(FIRST_ITEM).length);
  });
}

try {
  while (elapsed() < seconds) {
    await loadOnce();
    const bytes = memoryBytes(server.pid);
    if (bytes === null) throw new Error('this machine does not tell memory by process');
    readings.push({ atSeconds: elapsed(), bytes });
    console.log(`${elapsed().toFixed(0)} s, ${requests} requests, ${(bytes / MEGABYTE).toFixed(1)} MiB`);
  }
  const growth = findGrowth(readings);
  if (growth === null) throw new Error('too short to tell');
  const { bytesPerMinute, changeBytes, isGrowing } = growth;
  console.log(
    `${isGrowing ? 'it grows' : 'no growth'}: after the first third, ${(bytesPerMinute / MEGABYTE).toFixed(2)} MiB a minute, ` +
      `${(changeBytes / MEGABYTE).toFixed(1)} MiB from its first half to its second`,
  );
  if (isGrowing) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  const end = await server.stop();
  if (end !== null) console.error(end);
}
