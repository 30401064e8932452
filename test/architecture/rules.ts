// The rules of ARCHITECTURE.md as a function from source texts to broken rules. Reads no files: architecture.test.ts
// gives it the repository's, and made-up ones that break each rule.
import { dirname, join } from 'node:path/posix';

/** Path from the root of the repository (`src/web/router.ts`) → text. */
export type Sources = ReadonlyMap<string, string>;

/**
 * What a room may import besides itself. Everything may import `errors` and `observe`; what is not listed may not be
 * imported. `protocol/*` stands for the folders of the protocols, which know nothing of one another.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  observe: [],
  'protocol/http': [],
  'protocol/http1': ['protocol/http'],
  'protocol/http2': ['protocol/http'],
  'protocol/websocket': ['protocol/http'],
  'protocol/postgres': [],
  'protocol/proxy': [],
  transport: ['protocol/proxy'],
  database: ['protocol/postgres'],
  server: [
    'protocol/http',
    'protocol/http1',
    'protocol/http2',
    'protocol/websocket',
    'protocol/proxy',
    'transport',
  ],
  web: ['protocol/http', 'server'],
  catalog: ['protocol/http', 'server', 'web', 'database'],
  fleet: ['protocol/http', 'transport', 'server', 'web', 'database', 'catalog'],
  cli: ['transport', 'server', 'web', 'database', 'catalog', 'fleet'],
  index: ['protocol/http', 'transport', 'server', 'web', 'database', 'catalog', 'fleet'],
};

const FOR_ALL = ['errors', 'observe'];

const MAX_LINES = 700;

/** What a protocol's state machine must not use: sockets, timers, the clock, randomness, promises. */
const IMPURE =
  /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|process\.|Date\.now|new Date\b|performance\.|Math\.random|crypto\.|async\b|await\b|Promise\b|fetch\()/;

export interface Import {
  readonly from: string;
  /** As it is written. */
  readonly specifier: string;
  /** `type`: erased. `worker`: a file that a thread or process starts with. */
  readonly kind: 'value' | 'type' | 'dynamic' | 'worker';
}

const STATIC_IMPORT = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\bfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]/g;
const WORKER_FILE = /\bnew URL\(\s*['"](\.[^'"]+\.ts)['"]/g;

export function importsOf(path: string, text: string): Import[] {
  const code = withoutCommentLines(text);
  return [
    ...Array.from(code.matchAll(STATIC_IMPORT), ([, type, specifier = '']): Import => {
      return { from: path, specifier, kind: type === undefined ? 'value' : 'type' };
    }),
    ...Array.from(code.matchAll(DYNAMIC_IMPORT), ([, specifier = '']): Import => {
      return { from: path, specifier, kind: 'dynamic' };
    }),
    ...Array.from(code.matchAll(WORKER_FILE), ([, specifier = '']): Import => {
      return { from: path, specifier, kind: 'worker' };
    }),
  ];
}

/** Every broken rule, one line each; empty if all is well. */
export function brokenRules(sources: Sources): string[] {
  const broken: string[] = [];
  const edges = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const lines = text.split('\n').length - 1;
    if (lines > MAX_LINES && !path.endsWith('.table.ts')) broken.push(`${path} has ${lines} lines`);
    if (!path.startsWith('src/')) continue;
    broken.push(...textProblems(path, text));
    const imports = importsOf(path, text);
    for (const found of imports) broken.push(...importProblems(found, sources));
    edges.set(
      path,
      imports.filter(({ specifier, kind }) => specifier.startsWith('.') && kind !== 'worker').map(targetOf),
    );
  }
  return [...broken, ...cycles(edges)];
}

function textProblems(path: string, text: string): string[] {
  const problems: string[] = [];
  const code = withoutCommentLines(text);
  if (!text.startsWith('// ')) problems.push(`${path} does not begin with a comment that says what it is`);
  if (/^export default\b|\bas default\b/m.test(code)) problems.push(`${path} has a default export`);
  if (
    path === 'src/index.ts' &&
    /^(?!export\b[^;]*\bfrom\b)\S[^;]*;/m.test(code.replaceAll(/\{[^}]*\}/g, '{}'))
  ) {
    problems.push(`${path} does more than re-export`);
  }
  const impure = isMachine(path) ? IMPURE.exec(code) : null;
  if (impure !== null) problems.push(`${path} is not pure: ${impure[0]}`);
  return problems;
}

function importProblems({ from, specifier, kind }: Import, sources: Sources): string[] {
  const room = roomOf(from);
  const arrow = `${from} imports ${specifier}`;
  if (!specifier.startsWith('.')) {
    const pure = kind === 'type' || specifier === 'node:buffer';
    return isMachine(from) && !pure ? [`${arrow}: protocols import types and node:buffer only`] : [];
  }
  const target = targetOf({ from, specifier, kind });
  if (!sources.has(target)) return [`${arrow}: no such file`];
  const other = roomOf(target);
  if (other === room) return [];
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return [`${from} is in no room of the design`];
  if (room !== 'errors' && room !== 'observe' && FOR_ALL.includes(other)) return [];
  if (room === 'observe' && other === 'errors') return [];
  if (!allowed.includes(other)) return [`${arrow}: ${room} must not know ${other}`];
  return [];
}

/** Of a protocol, and no script that generates a table. */
const isMachine = (path: string): boolean =>
  roomOf(path).startsWith('protocol/') && !path.endsWith('.generate.ts');

const targetOf = ({ from, specifier }: Import): string => join(dirname(from), specifier);

/** `src/protocol/http1/x.ts` → `protocol/http1`; `src/web/rest/x.ts` → `web`; `src/errors.ts` → `errors`. */
function roomOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  return first === 'protocol' ? `protocol/${second}` : first.replace(/\.ts$/, '');
}

/** Each group of files that import one another in a circle, as one line. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`cycle: ${[...path.slice(start), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return found;
}

/** Lines that are a comment as a whole are left empty; prettier puts code on lines of its own. */
function withoutCommentLines(text: string): string {
  return text.replaceAll(/^\s*(?:\/\/|\/\*|\*).*$/gm, '');
}

/** Files of src that the text does not name, and files that it names and that are not there. */
export function namingProblems(document: string, paths: readonly string[]): string[] {
  const src = paths.filter((path) => path.startsWith('src/'));
  const named = new Set(Array.from(document.matchAll(/[\w./-]*\w\.ts\b/g), ([path]) => path));
  const names = new Set(Array.from(named, baseName));
  const present = new Set(paths.map(baseName));
  return [
    ...src.filter((path) => !names.has(baseName(path))).map((path) => `${path} is not named`),
    ...Array.from(named)
      .filter((path) => !present.has(baseName(path)))
      .map((path) => `${path} is named and does not exist`),
  ];
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
