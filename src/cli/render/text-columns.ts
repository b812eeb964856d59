import type { Writable } from 'node:stream';
import stringWidth from 'string-width';

/** How wide a terminal shows `text`, in cells. */
export function widthOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/**
 * Widths of columns that together take at most `available` cells: the widest are made narrower first, none below
 * `least` (or its own width, where that is less). Null when they cannot fit.
 */
export function fitWidths(widths: readonly number[], available: number, least: number): number[] | null {
  const fitted = [...widths];
  let excess = fitted.reduce((sum, width) => sum + width, 0) - available;
  while (excess > 0) {
    const widest = Math.max(...fitted);
    if (widest <= least) return null;
    const second = Math.max(least, ...fitted.filter((width) => width < widest));
    const at = fitted.flatMap((width, c) => (width === widest ? [c] : []));
    const cut = Math.min(widest - second, Math.ceil(excess / at.length));
    for (const c of at) fitted[c]! -= cut;
    excess -= cut * at.length;
  }
  return fitted;
}

/** `text` as lines of at most `width` cells, broken at spaces where there are some; nothing is left out. */
export function wrapText(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    if (widthOf(line) + widthOf(word.trimEnd()) <= width) {
      line += word;
      continue;
    }
    if (line !== '') lines.push(line.trimEnd());
    line = '';
    for (const character of word) {
      if (widthOf(line) + widthOf(character) > width) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  lines.push(line.trimEnd());
  return lines;
}

/** The width of the terminal behind a stream; undefined where there is none, or it does not say. */
export function terminalWidthOf(stream: Writable): number | undefined {
  const columns = 'columns' in stream ? stream.columns : undefined;
  return typeof columns === 'number' && columns > 0 ? columns : undefined;
}
