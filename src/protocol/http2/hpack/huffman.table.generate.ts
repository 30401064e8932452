// Generates huffman.table.ts (`node huffman.table.generate.ts > huffman.table.ts`) from the code lengths of RFC 7541
// Appendix B. The code is canonical: among codes of one length, values ascend with the symbol, so lengths say it all.

/** Code length in bits of each octet 0 … 255, and of EOS (256) (RFC 7541 Appendix B). */
const LENGTHS: readonly number[] = [
  [13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  [28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  [6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  [5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  [13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  [7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  [15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  [6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  [20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  [24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  [22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  [21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  [26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  [19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  [20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  [26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  [30],
].flat();

/** Canonical codes for the given lengths: shortest first, then by symbol. */
function assignCodes(lengths: readonly number[]): number[] {
  const codes: number[] = Array.from({ length: lengths.length }, () => 0);
  let code = 0;
  for (let length = 1; length <= 30; length++) {
    code *= 2;
    for (const [symbol, own] of lengths.entries()) if (own === length) codes[symbol] = code++;
  }
  // A complete prefix code ends exactly at all ones.
  if (code !== 2 ** 30) throw new Error('the lengths do not make a complete code');
  return codes;
}

function formatRows(numbers: readonly number[], format: (n: number) => string): string {
  let text = '';
  for (let i = 0; i < numbers.length; i += 16)
    text += `  ${numbers
      .slice(i, i + 16)
      .map(format)
      .join(', ')},\n`;
  return text;
}

/** The text of huffman.table.ts. */
export function generateHuffmanTable(): string {
  return (
    '// Huffman codes of RFC 7541 Appendix B, by octet; the last is EOS. Made by huffman.table.generate.ts.\n\n' +
    `export const HUFFMAN_CODES = new Uint32Array([\n${formatRows(assignCodes(LENGTHS), (n) => `0x${n.toString(16)}`)}]);\n\n` +
    `export const HUFFMAN_LENGTHS = new Uint8Array([\n${formatRows(LENGTHS, String)}]);\n`
  );
}

if (import.meta.main) process.stdout.write(generateHuffmanTable());
