/**
 * A guess of what bytes are, for PRINT, which knows nothing of columns. A format has one for each kind of bytes that it
 * writes, as far as they look like something.
 */
export interface BytesGuess {
  /** As PRINT names it. */
  readonly name: string;
  /** The bytes for people to read; null: they are nothing of this kind. */
  print(bytes: Buffer): string | null;
}

/** The bytes as text, null when they are none: no UTF-8, or with control characters other than tab and line ends. */
export function readableText(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) && !hasControls(text) ? text : null;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 127 && code < 160)) return true;
  }
  return false;
}
