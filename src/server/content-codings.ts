// The content codings (RFC 9110 §8.4.1) that the runtime has, with what compresses and decompresses each. Not the choice of one
// (protocol/http/negotiation.ts).
import * as zlib from 'node:zlib';

/** Those that responses are sent in. Not `deflate`: what it is has been understood in two ways; it is read only. */
export type ContentCoding = 'zstd' | 'br' | 'gzip';

export interface Compression {
  readonly coding: ContentCoding;
  /** Blocks while it works: for small bodies. */
  whole(body: Buffer | string): Buffer;
  wholeLater(body: Buffer | string, done: (error: Error | null, compressed: Buffer) => void): void;
  stream(): zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress;
  /** Makes a stream of this coding give out what it has of its input. */
  readonly flushFlag: number;
}

export type Levels = Readonly<Partial<Record<ContentCoding, number>>>;

/** zlib's own default; what nginx and h2o compress with on the fly; zstd's own default. All take about the same time. */
const DEFAULT_LEVELS = { gzip: 6, br: 4, zstd: 3 } as const;

/**
 * Windows of 512 KB at most: Brotli's usual 4 MB, and zstd's 2 MB, would be of each response that is streamed. Text gains
 * next to nothing by more.
 */
const STREAM_WINDOW_BITS = 19;

const { constants } = zlib;

/** Whether this Node.js has zstd (22.15 and later). */
const HAS_ZSTD = typeof zlib.createZstdCompress === 'function';

/** Those that the runtime has, best first: zstd takes half the time of Brotli for the same size, gzip gains less. */
export const COMPRESSING_CODINGS: readonly ContentCoding[] = HAS_ZSTD
  ? ['zstd', 'br', 'gzip']
  : ['br', 'gzip'];

/** @throws TypeError for a coding that the runtime has not */
export function compression(coding: ContentCoding, levels: Levels): Compression {
  if (!COMPRESSING_CODINGS.includes(coding)) {
    throw new TypeError(
      `nothing is compressed in ${JSON.stringify(coding)}: take one of ${COMPRESSING_CODINGS.join(', ')}`,
    );
  }
  if (coding === 'gzip') return gzip({ level: levels.gzip ?? DEFAULT_LEVELS.gzip });
  return coding === 'br' ? brotli(levels.br ?? DEFAULT_LEVELS.br) : zstd(levels.zstd ?? DEFAULT_LEVELS.zstd);
}

function gzip(options: zlib.ZlibOptions): Compression {
  return {
    coding: 'gzip',
    whole: (body) => zlib.gzipSync(body, options),
    wholeLater: (body, done) => zlib.gzip(body, options, done),
    stream: () => zlib.createGzip(options),
    flushFlag: constants.Z_SYNC_FLUSH,
  };
}

function brotli(quality: number): Compression {
  const optionsFor = (body: Buffer | string): zlib.BrotliOptions => ({
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
  return {
    coding: 'br',
    whole: (body) => zlib.brotliCompressSync(body, optionsFor(body)),
    wholeLater: (body, done) => zlib.brotliCompress(body, optionsFor(body), done),
    stream: () =>
      zlib.createBrotliCompress({
        params: {
          [constants.BROTLI_PARAM_QUALITY]: quality,
          [constants.BROTLI_PARAM_LGWIN]: STREAM_WINDOW_BITS,
        },
      }),
    flushFlag: constants.BROTLI_OPERATION_FLUSH,
  };
}

function zstd(level: number): Compression {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return {
    coding: 'zstd',
    whole: (body) => zlib.zstdCompressSync(body, { params }),
    wholeLater: (body, done) => zlib.zstdCompress(body, { params }, done),
    stream: () =>
      zlib.createZstdCompress({ params: { ...params, [constants.ZSTD_c_windowLog]: STREAM_WINDOW_BITS } }),
    flushFlag: constants.ZSTD_e_flush,
  };
}

export type Decompressor = zlib.Gunzip | zlib.Inflate | zlib.BrotliDecompress | zlib.ZstdDecompress;

/** What RFC 8878 §3.1.1.1.2 asks every decoder for: 8 MB, and this many bits. */
const ZSTD_WINDOW_BITS_MAX = 23;

/** A stream from the coding to what it encodes; null for an unknown one. The name is in lower case. */
export function decompressor(coding: string): Decompressor | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return HAS_ZSTD
        ? zlib.createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS_MAX } })
        : null;
    default:
      return null;
  }
}

/** What a client may send: the value of Accept-Encoding in an answer (RFC 9110 §12.5.3). */
export const DECOMPRESSING_CODINGS = HAS_ZSTD ? 'zstd, br, gzip, deflate' : 'br, gzip, deflate';
