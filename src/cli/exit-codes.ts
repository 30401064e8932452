// Exit codes of the command. docs/cli.md and `howdah --help` list the same ones; a test holds them together.

export const EXIT_CODES = {
  done: { code: 0, meaning: 'done; for serve: drained after SIGTERM or SIGINT' },
  failed: {
    code: 1,
    meaning: 'failed: an SQL statement or file has an error, or the server could not start or go on',
  },
  usage: { code: 2, meaning: 'unknown command or option, or a bad value' },
  dataDirectory: { code: 3, meaning: 'the data directory is in use by another process, or unusable' },
  address: { code: 4, meaning: 'an address cannot be listened on, for example because it is in use' },
  noServer: { code: 5, meaning: 'no running server was found, or it cannot be reached' },
} as const;

/** Of a process that ended at once on the second signal: what a shell reports for one that a signal killed. */
export const SIGNAL_EXIT_BASE = 128;

/** The lines that `--help` ends with. */
export function exitCodesHelp(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${code}  ${meaning}`);
  return ['Exit codes:', ...lines, `  ${SIGNAL_EXIT_BASE}+N  ended by a second signal N while draining`].join(
    '\n',
  );
}
