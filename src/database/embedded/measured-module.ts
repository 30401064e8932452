// PGlite's WebAssembly, changed so that PostgreSQL sees all of its recursion. Compiles it; runs nothing.
//
// PostgreSQL measures its stack by the addresses of variables, which are in the memory of WebAssembly. A function that keeps all
// of its variables in WebAssembly's locals has no frame there: the parser of JSON may then call itself until the stack of the
// thread ends, and the engine with it. Each function that asks how deep the stack is, and has no frame, gets one:
//
//   before   f: body                     after   f:   stack pointer -= FRAME_BYTES; g(arguments); stack pointer += FRAME_BYTES
//                                                g:   body (calls of f in it, and everywhere else, are still of f)
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readVector, SECTION, splitModule, unsigned, WasmReader } from './wasm-sections.ts';

/**
 * What one of these functions uses of `max_stack_depth` (2 MB) each time that it is entered: about what the parser of JSON has
 * on a server, which is some 16 000 levels, and far below what the thread's stack has for so many.
 */
const FRAME_BYTES = 128;

/** What PostgreSQL's functions call to be stopped where the stack is too deep; and where the stack in memory is. */
const CHECK = 'check_stack_depth';
const STACK_POINTER = '__stack_pointer';

const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const LOCAL_GET = 0x20;
const CALL = 0x10;
const I32_CONST = 0x41;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const END = 0x0b;

/** Of the platform: the types of Node.js do not have it. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** The module of the PGlite that is installed, as PGlite takes it (`pgliteWasmModule`). */
export function compileMeasuredModule(): Promise<object> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  return WebAssembly.compile(withFrames(readFileSync(join(dirname(entry), 'pglite.wasm'))));
}

/** The module with a frame for each function that needs one. Throws where it is none of PostgreSQL. */
export function withFrames(bytes: Buffer): Buffer {
  const module = splitModule(bytes);
  const content = (id: number): Buffer => module.content(id);
  const exported = readExports(new WasmReader(content(SECTION.export)));
  const check = exported.get(CHECK);
  const stackPointer = exported.get(STACK_POINTER);
  if (check === undefined || stackPointer === undefined) {
    throw new Error(`this build of PGlite has no ${CHECK}`);
  }
  const code = content(SECTION.code);
  const bodies = bodiesWith(code, Buffer.from([CALL, ...unsigned(check)])).filter(
    ({ start, end }) =>
      !code.subarray(start, end).includes(Buffer.from([GLOBAL_GET, ...unsigned(stackPointer)])),
  );

  const parameters = readParameterCounts(new WasmReader(content(SECTION.type)));
  const functions = new WasmReader(content(SECTION.function));
  const count = functions.unsigned();
  const typesOfFunctions = functions.rest();
  const types = readVector(new WasmReader(content(SECTION.function)), (reader) => reader.unsigned());
  const newTypes = bodies.map(({ index }) => types[index] ?? 0);
  const firstNew = countImportedFunctions(new WasmReader(content(SECTION.import))) + count;
  const rest = new WasmReader(code);
  const newCode: Uint8Array[] = [unsigned(rest.unsigned() + bodies.length)];
  for (const [order, { at, end }] of bodies.entries()) {
    const body = framed(firstNew + order, parameters[newTypes[order] ?? 0] ?? 0, stackPointer);
    newCode.push(rest.bytes(at - rest.position), unsigned(body.length), body);
    rest.position = end;
  }
  newCode.push(rest.rest(), ...bodies.map(({ at, end }) => code.subarray(at, end)));

  const replaced = new Map<number, Uint8Array[]>([
    [SECTION.function, [unsigned(count + newTypes.length), typesOfFunctions, ...newTypes.map(unsigned)]],
    [SECTION.code, newCode],
  ]);
  const out: Uint8Array[] = [module.header];
  for (const { id, whole } of module.sections) {
    const parts = replaced.get(id);
    if (parts === undefined) {
      out.push(whole);
    } else {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      out.push(Uint8Array.of(id), unsigned(length), ...parts);
    }
  }
  return Buffer.concat(out);
}

/** Where the body of a function is in the section of code: its length stands at `at`, what it does from `start` to `end`. */
interface Body {
  /** Among the functions that are not imported. */
  readonly index: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The functions in whose bodies the bytes are. What they look for may, now and then, be a part of something else: a frame that is
 * not needed does no harm.
 */
function bodiesWith(code: Buffer, sought: Buffer): Body[] {
  const reader = new WasmReader(code);
  const found: Body[] = [];
  let next = code.indexOf(sought);
  for (let index = 0, count = reader.unsigned(); index < count && next >= 0; index += 1) {
    const at = reader.position;
    const length = reader.unsigned();
    const start = reader.position;
    const end = start + length;
    reader.position = end;
    if (next >= end) continue;
    found.push({ index, at, start, end });
    next = code.indexOf(sought, end);
  }
  return found;
}

/** The body of a function that makes a frame, calls `inner` with its own parameters, and returns what that does. */
function framed(inner: number, parameters: number, stackPointer: number): Buffer {
  const pointer = unsigned(stackPointer);
  const bytes = [(FRAME_BYTES & 0x7f) | 0x80, FRAME_BYTES >> 7];
  const move = (operation: number): number[] =>
    [
      [GLOBAL_GET, ...pointer],
      [I32_CONST, ...bytes],
      [operation, GLOBAL_SET, ...pointer],
    ].flat();
  const passed = Array.from({ length: parameters }, (_, index) => [LOCAL_GET, ...unsigned(index)]).flat();
  const noLocals = 0;
  return Buffer.from([
    noLocals,
    ...move(I32_SUB),
    ...passed,
    CALL,
    ...unsigned(inner),
    ...move(I32_ADD),
    END,
  ]);
}

function countImportedFunctions(section: WasmReader): number {
  const kinds = readVector(section, (reader) => {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 0) {
      reader.unsigned(); // its type
    } else if (kind === 3) {
      reader.bytes(2); // type of the global, whether it changes
    } else {
      if (kind === 1) reader.byte(); // type of the table's elements
      const hasMost = (reader.byte() & 1) === 1;
      reader.unsigned();
      if (hasMost) reader.unsigned();
    }
    return kind;
  });
  return kinds.filter((kind) => kind === 0).length;
}

function readExports(section: WasmReader): Map<string, number> {
  return new Map(
    readVector(section, (reader) => {
      const name = reader.name();
      reader.byte(); // what it is
      return [name, reader.unsigned()];
    }),
  );
}

function readParameterCounts(section: WasmReader): number[] {
  return readVector(section, (reader) => {
    reader.byte(); // that it is a function
    const parameters = reader.bytes(reader.unsigned());
    reader.bytes(reader.unsigned()); // results
    return parameters.length;
  });
}
