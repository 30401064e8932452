// `howdah doctor`: looks at a PostgreSQL server and says what stands in the way of serving from it, as lines or JSON.
import { readSchemaSource } from '../database/schema-migrations.ts';
import { parseConnectionString } from '../database/server/connection-string.ts';
import { examineServer, type Finding } from '../database/server/examination.ts';
import { withSetupSession } from '../database/server/server-database.ts';
import type { DoctorSettings } from './doctor-program.ts';
import { EXIT_CODES } from './exit-codes.ts';

const SILENT = { observe: () => undefined };

/** Beside the sessions for calls: each worker has one that listens, and so has the master. */
const SESSIONS_BESIDE = 1;

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok',
  warning: 'warning',
  problem: 'PROBLEM',
};

export async function runDoctor(
  settings: DoctorSettings,
  env: Readonly<Record<string, string | undefined>>,
  { stdout }: { readonly stdout: { write(text: string): unknown } },
): Promise<number> {
  const { migrations } = await readSchemaSource();
  const findings = await withSetupSession(
    parseConnectionString(settings.url, env),
    SILENT,
    (session, processId) =>
      examineServer(session, {
        migrations: migrations.length,
        sessions: settings.maxSessions + settings.workers * SESSIONS_BESIDE + SESSIONS_BESIDE,
        processId,
      }),
  );
  const failed = findings.some(({ state }) => state === 'problem');
  if (settings.json) stdout.write(`${JSON.stringify({ ok: !failed, findings }, null, 2)}\n`);
  else for (const finding of findings) stdout.write(lines(finding));
  return failed ? EXIT_CODES.failed.code : EXIT_CODES.done.code;
}

function lines({ check, state, detail, remedy }: Finding): string {
  const found = `${MARKS[state].padEnd(8)} ${check}: ${detail}\n`;
  return remedy === null ? found : `${found}         → ${remedy}\n`;
}
