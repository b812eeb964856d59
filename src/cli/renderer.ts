import type { Entity } from '../engine/result.ts';
import type { TextColumn, TextRow } from './backend.ts';

/** Turns results into text. Row texts end with a line end; `header` comes before the first rows of a result. */
export interface Renderer {
  entity(entity: Entity): string;
  header(columns: readonly TextColumn[]): string;
  /** `first` is true for the first batch of a result: widths may be taken from it. */
  rows(columns: readonly TextColumn[], rows: readonly TextRow[], first: boolean): string;
}
