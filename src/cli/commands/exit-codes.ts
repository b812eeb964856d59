export const EXIT_DONE = 0;
/** A statement or a test failed. */
export const EXIT_FAILED = 1;
/** The command line was wrong. */
export const EXIT_USAGE = 2;
