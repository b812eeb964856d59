/** More texts than queries have; records may bring any number of them. */
const TEXTS_MAX = 1000;

/** `open`, which remembers what it made of a text until there are too many of them. What it throws is not remembered. */
export function cachedByText<T>(open: (text: string) => T): (text: string) => T {
  const opened = new Map<string, T>();
  return (text) => {
    let result = opened.get(text);
    if (result === undefined) {
      result = open(text);
      if (opened.size >= TEXTS_MAX) opened.clear();
      opened.set(text, result);
    }
    return result;
  };
}
