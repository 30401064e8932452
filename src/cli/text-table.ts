// Tables of text, laid out as psql lays out its aligned format. Knows nothing of SQL.

export interface TableColumn {
  readonly name: string;
  /** Whether values stand at the right edge, as numbers do. */
  readonly right?: boolean;
}

type Cell = string | null;

/** Header, rule and rows, each line ended; null is shown as nothing. Rows without columns cannot be seen. */
export function textTable(columns: readonly TableColumn[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => columns.map((_, i) => shown(row[i] ?? '').split('\n')));
  const widths = columns.map(({ name }, i) => {
    const valueWidths = cells.flatMap((row) => (row[i] ?? []).map(displayWidth));
    return valueWidths.reduce((widest, width) => Math.max(widest, width), displayWidth(shown(name)));
  });
  if (columns.length === 0) return '--\n';
  const header = columns.map(({ name }, i) => ` ${centred(shown(name), widths[i] ?? 0)} `).join('|');
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+');
  const lines = cells.flatMap((row) => rowLines(row, widths, columns));
  return `${[header, rule, ...lines].join('\n')}\n`;
}

/** `(1 row)`, `(2 rows)`. */
export const rowCount = (count: number): string => `(${count} ${count === 1 ? 'row' : 'rows'})\n`;

/** A value with line ends takes several lines; a plus at the edge says that it goes on. */
function rowLines(
  row: readonly string[][],
  widths: readonly number[],
  columns: readonly TableColumn[],
): string[] {
  const height = row.reduce((most, lines) => Math.max(most, lines.length), 1);
  return Array.from({ length: height }, (_, k) => {
    const parts = row.map((lines, i) => {
      const text = lines[k] ?? '';
      const gap = ' '.repeat((widths[i] ?? 0) - displayWidth(text));
      const goesOn = k + 1 < lines.length ? '+' : ' ';
      return ` ${columns[i]?.right === true ? gap + text : text + gap}${goesOn}`;
    });
    return parts.join('|').trimEnd();
  });
}

function centred(text: string, width: number): string {
  const gap = width - displayWidth(text);
  const left = Math.floor(gap / 2);
  return ' '.repeat(left) + text + ' '.repeat(gap - left);
}

const CONTROLS = /(?!\n)\p{Cc}/gu;

/** Control characters as psql shows them: data must not reach the terminal as a command to it. */
function shown(text: string): string {
  return text.replace(CONTROLS, (c) => {
    if (c === '\t') return '    ';
    if (c === '\r') return '\\r';
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;
  });
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** East Asian wide and full-width ranges (Unicode Standard Annex 11) and emoji take two columns. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;

const ASCII = /^[ -~]*$/;

function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
