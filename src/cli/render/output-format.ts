import { csvRenderer } from './render-csv.ts';
import { jsonRenderer } from './render-json.ts';
import { tableRenderer } from './render-table.ts';
import type { Renderer } from './renderer.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'csv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

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
