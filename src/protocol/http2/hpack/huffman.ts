// Huffman coding of HPACK string literals (RFC 7541 §5.2). Not the string literal's prefix and length: see decoder.ts
// and encoder.ts.
import { HUFFMAN_CODES, HUFFMAN_LENGTHS } from './huffman.table.ts';

const EOS = 256;
/** Padding is at most 7 bits of the most significant bits of EOS, which are ones (RFC 7541 §5.2). */
const MAX_PADDING_BITS = 7;

// The decoder walks the code's tree four bits a step. A transition is `next node | EMITS | FAILS | symbol << 16`; since
// the shortest code has five bits, a step emits one symbol at most. The tree has 256 inner nodes.
const EMITS = 1 << 8;
const FAILS = 1 << 9;
const SYMBOL_SHIFT = 16;
const TRANSITIONS = new Int32Array(256 * 16);
/** 1 for nodes where the input may end: the root, and at most 7 ones below it. */
const ENDS = new Uint8Array(256);

buildDecoder();

function buildDecoder(): void {
  // children[node * 2 + bit]: an inner node's number, or ~symbol for a leaf; 0 is "not yet", the root is nobody's child.
  const children = new Int32Array(256 * 2);
  let nodes = 1;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    const code = HUFFMAN_CODES[symbol] as number;
    let node = 0;
    for (let bit = (HUFFMAN_LENGTHS[symbol] as number) - 1; bit > 0; bit--) {
      const slot = node * 2 + ((code >>> bit) & 1);
      if (children[slot] === 0) children[slot] = nodes++;
      node = children[slot] as number;
    }
    children[node * 2 + (code & 1)] = ~symbol;
  }
  for (let node = 0; node < nodes; node++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let at = node;
      let transition = 0;
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[at * 2 + ((nibble >>> bit) & 1)] as number;
        if (child >= 0) {
          at = child;
        } else {
          transition |= ~child === EOS ? FAILS : EMITS | (~child << SYMBOL_SHIFT);
          at = 0;
        }
      }
      TRANSITIONS[node * 16 + nibble] = transition | at;
    }
  }
  let onOnes = 0;
  for (let depth = 0; depth <= MAX_PADDING_BITS; depth++) {
    ENDS[onOnes] = 1;
    onOnes = children[onOnes * 2 + 1] as number;
  }
}

/**
 * Decodes `source[start, end)` into `target` from 0 on, and returns the number of octets, or -1 for an encoding error
 * (EOS in the text, padding that is too long or not all ones). `target` needs room for 8/5 of the source.
 */
export function decodeHuffman(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let node = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i] as number;
    let transition = TRANSITIONS[(node << 4) | (byte >>> 4)] as number;
    if ((transition & EMITS) !== 0) target[length++] = transition >>> SYMBOL_SHIFT;
    let failed = transition;
    transition = TRANSITIONS[((transition & 0xff) << 4) | (byte & 15)] as number;
    if ((transition & EMITS) !== 0) target[length++] = transition >>> SYMBOL_SHIFT;
    failed |= transition;
    if ((failed & FAILS) !== 0) return -1;
    node = transition & 0xff;
  }
  return ENDS[node] === 1 ? length : -1;
}

/** Octets that `text` (latin1) takes when Huffman-coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += HUFFMAN_LENGTHS[text.charCodeAt(i)] as number;
  return (bits + 7) >>> 3;
}

/** Codes `text` (latin1) into `target` at `position`, padded with ones, and returns the position after it. */
export function encodeHuffman(text: string, target: Uint8Array, position: number): number {
  let at = position;
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let length = HUFFMAN_LENGTHS[symbol] as number;
    let code = HUFFMAN_CODES[symbol] as number;
    // At most 7 bits are pending: codes over 24 bits go in two parts, so that 32 bits always hold them.
    if (length > 24) {
      const low = length - 24;
      pending = (pending << 24) | (code >>> low);
      bits += 24;
      while (bits >= 8) target[at++] = (pending >>> (bits -= 8)) & 0xff;
      code &= (1 << low) - 1;
      length = low;
    }
    pending = (pending << length) | code;
    bits += length;
    while (bits >= 8) target[at++] = (pending >>> (bits -= 8)) & 0xff;
  }
  if (bits > 0) target[at++] = ((pending << (8 - bits)) | (0xff >>> bits)) & 0xff;
  return at;
}
