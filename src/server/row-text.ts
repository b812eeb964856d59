/**
 * A row as an object: of ksqlDB's older API and of WebSocket frames; removals from a table have this form everywhere.
 * `cells`: the JSON texts of the columns, with commas between them.
 */
export function rowObject(cells: string, tombstone: boolean): string {
  return `{"row":{"columns":[${cells}]${tombstone ? ',"tombstone":true' : ''}}}`;
}
