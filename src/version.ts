/**
 * The package's version. A test compares it with package.json, which `erldist --version` does not
 * look for: from where the command is linked, another package's may be nearer.
 */
export const VERSION = "0.1.0";
