import type { Entity } from '../engine/result.ts';
import type { TextColumn, TextRow } from './backend.ts';
import { csvRenderer } from './render-csv.ts';
import { jsonRenderer } from './render-json.ts';
import { tableRenderer } from './render-table.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'csv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Turns results into text. Row texts end with a line end; `header` comes before the first rows of a result. */
export interface Renderer {
  entity(entity: Entity): string;
  header(columns: readonly TextColumn[]): string;
  /** `first` is true for the first batch of a result: widths may be taken from it. */
  rows(columns: readonly TextColumn[], rows: readonly TextRow[], first: boolean): string;
}

/** `terminalWidth`: in cells, where output goes to a terminal. */
export function rendererOf(format: OutputFormat, terminalWidth?: number): Renderer {
  switch (format) {
    case 'table':
      return tableRenderer(terminalWidth);
    case 'json':
      return jsonRenderer;
    case 'csv':
      return csvRenderer;
  }
}
