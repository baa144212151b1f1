/** The OTP release that this node presents itself as. */

/** The newest OTP release whose protocol and tools the node supports. */
export const OTP_RELEASE = "29";
/** The version of kernel in that release. */
export const KERNEL_VERSION = "11.0";
/** The version of stdlib in that release. */
export const STDLIB_VERSION = "8.0";
/** The version of runtime_tools in that release. */
export const RUNTIME_TOOLS_VERSION = "2.5";
