// The one table of errors that an application or an operator can see: code, HTTP status where one is answered, message
// and hint. docs/errors.md lists the same table; a test holds them together.

interface ErrorEntry {
  /** Status of the response, or null for errors that are not answered over HTTP. */
  readonly status: number | null;
  readonly message: string;
  readonly hint: string;
}

/** The errors that an application or an operator can see, by code: status, message and hint. */
export const ERRORS = {
  HOWDAH_DATA_LOCKED: {
    status: null,
    message: 'another process uses this data directory',
    hint: 'stop the other process, or give another directory with --data',
  },
  HOWDAH_DATA_UNUSABLE: {
    status: null,
    message: 'the data directory cannot be used',
    hint: 'check that it is a directory that this user may write to, and that its disk has room',
  },
  HOWDAH_ADDRESS_UNUSABLE: {
    status: null,
    message: 'cannot listen',
    hint: 'stop what uses the address, or give another with --listen or --pg-listen (port 0: any free one)',
  },
  HOWDAH_SQL_FAILED: {
    status: null,
    message: 'an SQL file given with --sql failed',
    hint: 'nothing of that file was applied: correct it and start again',
  },
  HOWDAH_DIRECTORY_NOT_ALLOWED: {
    status: 500,
    message: 'a handler answered with a file of a directory that is not to be read',
    hint: 'allow the directory with --allow-fs, or correct the mount of the handler',
  },
  HOWDAH_NO_SERVER: {
    status: null,
    message: 'no running server was found',
    hint: 'start one with `howdah serve`, or say where it is with --data or --url',
  },
  HOWDAH_NO_WORKERS: {
    status: null,
    message: 'the server has no worker processes',
    hint: 'on the embedded engine the worker is the server: end it and start it again',
  },
  HOWDAH_DATABASE_URL: {
    status: null,
    message: 'the connection string of the database cannot be used',
    hint: 'give --database postgres://user:password@host:port/database, or env for DATABASE_URL and the PG* variables',
  },
  HOWDAH_DATABASE_UNREACHABLE: {
    status: null,
    message: 'no connection to the database',
    hint: 'check address, user, password and the rules of its pg_hba.conf; `psql` with the same string says the same',
  },
  HOWDAH_DATABASE_TOO_OLD: {
    status: null,
    message: 'the database server is too old',
    hint: 'take PostgreSQL 14 or later',
  },
  HOWDAH_WORKER_FAILED: {
    status: null,
    message: 'the HTTP workers could not be started',
    hint: 'the lines above say what they ended with',
  },
  HOWDAH_SCHEMA_REFUSED: {
    status: null,
    message: 'the schema could not be installed in the database',
    hint: 'the user needs the right to create schemas: grant create on database … to …, or make it the owner',
  },
  HOWDAH_SCHEMA_NEWER: {
    status: null,
    message: 'the database was set up by a later version of howdah',
    hint: 'run that version, or a later one',
  },
  HOWDAH_SCHEMA_OCCUPIED: {
    status: null,
    message: "schemas with the names of howdah's are in the database and were not made by it",
    hint: 'drop or rename them (for an installation of omni_httpd: drop the extension), or take another database',
  },
  HOWDAH_SCHEMA_INCOMPLETE: {
    status: null,
    message: "howdah's schemas are in the database in part only",
    hint: 'drop what is left of them, if that may go: drop schema if exists howdah, omni_httpd, omni_http, omni_types cascade',
  },
  HOWDAH_BODY_TOO_LARGE: {
    status: 413,
    message: 'the request body is larger than allowed',
    hint: 'raise maxBodyBytes of the route (in TypeScript), or --max-body-bytes',
  },
  HOWDAH_BODY_TYPE: {
    status: 415,
    message: 'the request body is of a type that is not taken here',
    hint: 'send the content type that the message names',
  },
  HOWDAH_BODY_MALFORMED: {
    status: 400,
    message: 'the request body is not what its content type says',
    hint: 'correct it as the message says',
  },
  HOWDAH_BAD_QUERY: {
    status: 400,
    message: 'the query of the request is not as it must be',
    hint: 'correct the parameter that the message names',
  },
  HOWDAH_BAD_COOKIE: {
    status: 400,
    message: 'a cookie of the request is not as it must be',
    hint: 'delete the cookie that the message names',
  },
  HOWDAH_BAD_FIELD: {
    status: 400,
    message: 'a field of the request is malformed',
    hint: 'correct the field that the message names',
  },
  HOWDAH_DATABASE_BUSY: {
    status: 503,
    message: 'no session with the database became free in time',
    hint: 'end transactions and streams of rows sooner, or allow more sessions with --sessions',
  },
  HOWDAH_RESULT_TOO_LARGE: {
    status: 500,
    message: 'the rows of a statement are more than may be held in memory',
    hint: 'take them one by one with db.stream(), ask for fewer, or raise --max-result-bytes',
  },
  HOWDAH_TOO_MANY_FILES: {
    status: 503,
    message: 'no more files can be opened now',
    hint: 'allow the process, or the system, more open files (ulimit -n, fs.file-max)',
  },
  HOWDAH_APPLICATION_UNUSABLE: {
    status: null,
    message: 'the application cannot be served',
    hint: 'the module exports application({ routes: [ … ] }) as its default',
  },
  HOWDAH_INIT_REFUSED: {
    status: null,
    message: 'the project could not be written',
    hint: 'give a directory that is empty, or not there yet',
  },
} as const satisfies Record<string, ErrorEntry>;

/** The codes of ERRORS. */
export type ErrorCode = keyof typeof ERRORS;

/** An error of that table. Where a handler throws one that has a status, that is the answer. */
export class HowdahError extends Error {
  readonly code: ErrorCode;
  /** What exactly went wrong. */
  readonly detail: string;

  /** `detail` says what exactly went wrong, in one line, and is appended to the table's message. */
  constructor(code: ErrorCode, detail = '', options?: ErrorOptions) {
    super(detail === '' ? ERRORS[code].message : `${ERRORS[code].message}: ${detail}`, options);
    this.name = 'HowdahError';
    this.code = code;
    this.detail = detail;
  }

  /** Of the response; null where it is not answered over HTTP. */
  get status(): number | null {
    return ERRORS[this.code].status;
  }

  /** What to do about it. */
  get hint(): string {
    return ERRORS[this.code].hint;
  }
}
