import { transform } from 'sucrase';

/** TypeScript as JavaScript, line by line. Types are not checked. Throws `Error` for what is no TypeScript. */
export function stripTypes(text: string): string {
  return transform(text, { transforms: ['typescript'], disableESTransforms: true, keepUnusedImports: true })
    .code;
}
