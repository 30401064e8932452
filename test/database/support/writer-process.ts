// A process of its own that opens a data directory and writes into it as fast as it can, telling each row that was
// acknowledged; for tests that kill it. `hold` as second argument: opens the directory and only keeps it.
import { writeSync } from 'node:fs';
import type { EmbeddedDatabase } from '../../../src/database/embedded/embedded-database.ts';
import { openEmbedded } from '../../../src/database/embedded/open-embedded.ts';
import { HowdahError } from '../../../src/errors.ts';

const [dataDirectory = '', mode = 'write'] = process.argv.slice(2);

/** Synchronous, so that what was told is told whenever this process is killed. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

function write(database: EmbeddedDatabase, value: number, step: number): void {
  database.dispatch({
    statement: {
      name: 'write',
      text: 'insert into written values ($1)',
      parameterTypes: [23],
      resultFormat: 0,
    },
    parameters: [String(value)],
    epoch: null,
    resetAfter: false,
    complete(result) {
      if (result.kind === 'no-row') tell(`wrote ${value}`);
      else tell(`failed ${JSON.stringify(result)}`);
      write(database, value + step, step);
    },
  });
}

try {
  const database = await openEmbedded({ dataDirectory, observer: { observe: () => undefined } });
  database.announce({ gateway: '127.0.0.1:1', listeners: ['http://127.0.0.1:2'] });
  tell('open');
  if (mode === 'hold') {
    process.stdin.resume();
    process.stdin.on('end', () => void database.close());
  } else {
    await database.exec('create table if not exists written (x int primary key)');
    const { rows } = await database.query('select coalesce(max(x), 0) from written');
    const first = Number(rows[0]?.[0] ?? 0) + 1;
    const step = 8;
    for (let index = 0; index < step; index += 1) write(database, first + index, step);
  }
} catch (error) {
  tell(`refused ${error instanceof HowdahError ? error.code : String(error)}`);
}
