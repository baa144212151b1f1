/**
 * The harness: starts Erlang/OTP nodes from a test, evaluates Erlang in them, freezes and ends them.
 *
 * It works with any test runner. In short:
 *
 *     eachOtp(describe, (otp) => {
 *       it("answers a ping", async () => {
 *         await using bilbo = await startOtpNode({ otp });
 *         await using gandalf = await startOtpNode({ otp });
 *         expect(await bilbo.eval(`net_adm:ping('${gandalf.name}')`)).toBe("pong");
 *       });
 *     });
 *     afterAll(endInteropRun);
 *
 * @module erldist/interop
 */

export { type CompiledModule, compileErlang, erlangSource } from "./compile.ts";
export { type Epmd, type EpmdName, type EpmdOptions, epmdNames, startEpmd } from "./epmd.ts";
export { InteropError, type InteropErrorCode, OtpEvalError } from "./errors.ts";
export {
  createNetworkHosts,
  isLeftOut,
  type NetworkHost,
  type NetworkHosts,
  type OpenPorts,
} from "./namespaces.ts";
export {
  type EvalOptions,
  type OtpNode,
  type OtpNodeOptions,
  type OtpSession,
  startOtpNode,
} from "./otp-node.ts";
export { type OtpShell, startOtpShell } from "./otp-shell.ts";
export {
  clearEndedLogs,
  interopLogs,
  type Program,
  type ProgramEnd,
  type ProgramOptions,
  runOtp,
  startProgram,
} from "./program.ts";
export {
  eachOtp,
  hostPath,
  type OtpRelease,
  otpRelease,
  otpReleases,
  SUPPORTED_RELEASES,
} from "./releases.ts";
export { endInteropRun, type InteropRun, interopRun } from "./run.ts";
export { type WaitOptions, waitUntil, within } from "./wait.ts";
