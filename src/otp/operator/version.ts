/** What this node says it is. */

/** The package's version. */
export const VERSION = "0.1.0";
/** The newest release whose peers and tools find here what they know. */
export const OTP_RELEASE = "29";
/** Versions of OTP's applications of that release whose services are here. */
export const KERNEL_VERSION = "11.0";
export const STDLIB_VERSION = "8.0";
export const RUNTIME_TOOLS_VERSION = "2.5";
