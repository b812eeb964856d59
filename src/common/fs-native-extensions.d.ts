/** The part of fs-native-extensions 1.5 that Millrace uses; the package has no types of its own. */
declare module 'fs-native-extensions' {
  /**
   * An exclusive lock of the kernel's on the whole file: false when another open file has it, in this process or
   * another. Throws an error with a `code` where there are no locks.
   */
  export function tryLock(descriptor: number): boolean;
}
