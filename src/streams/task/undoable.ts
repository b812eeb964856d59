/** Something that changes while a task works, and can go back to what it was. */
export interface Undoable {
  /** From here on changes may be undone. */
  mark(): void;
  /** Undoes what has changed since `mark`. */
  undo(): void;
}
