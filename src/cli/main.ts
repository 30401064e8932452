// Entry of the `howdah` command: joins arguments, commands and exit code. Each command is loaded when it is asked for,
// so that `howdah sql` does not load an HTTP server and `--help` loads nothing.
import { exitCodeOf, failureText } from './failure.ts';
import { runProgram } from './program.ts';

// A reader that has seen enough (`howdah routes | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const output = {
  writeOut: (text: string) => void process.stdout.write(text),
  writeErr: (text: string) => void process.stderr.write(text),
};

const exitCode = await runProgram(process.argv.slice(2), process.env, output, {
  async serve(settings) {
    const [{ runServe }, { serve }] = await Promise.all([
      import('./serve-command.ts'),
      import('../fleet/serve.ts'),
    ]);
    return runServe(settings, serve);
  },
  async init(settings) {
    const { runInit } = await import('./init-command.ts');
    return runInit(settings, process);
  },
  async sql(settings) {
    const { runSql } = await import('./sql-command.ts');
    return runSql(settings, process);
  },
  async routes(settings) {
    const { runRoutes } = await import('./routes-command.ts');
    return runRoutes(settings, process);
  },
  async install(settings) {
    const { runInstall } = await import('./install-command.ts');
    return runInstall(settings, process.env, process);
  },
  async doctor(settings) {
    const { runDoctor } = await import('./doctor-command.ts');
    return runDoctor(settings, process.env, process);
  },
  async status(settings) {
    const { runStatus } = await import('./status-command.ts');
    return runStatus(settings, process);
  },
  async restart(settings) {
    const { runRestart } = await import('./status-command.ts');
    return runRestart(settings, process);
  },
}).catch((error: unknown) => {
  process.stderr.write(failureText(error));
  return exitCodeOf(error);
});

// What a reader is slow to take would be lost otherwise.
await Promise.all(
  [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((done) => stream.write('', () => done())),
  ),
);
// Ends even where a connection outlived its deadline and would keep the process alive.
process.exit(exitCode);
