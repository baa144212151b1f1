/**
 * The public names of `erldist`, and nothing else.
 *
 * @module erldist
 */
export {
  type AnyTuple,
  Atom,
  atom,
  atomOf,
  BitString,
  CodedError,
  charlist,
  compare,
  EtfDecodeError,
  type EtfDecodeErrorCode,
  EtfEncodeError,
  type EtfEncodeErrorCode,
  ExternalFun,
  equals,
  Float,
  type FromPlainOptions,
  float,
  format,
  fromJson,
  fromPlain,
  ImproperList,
  isAtom,
  isBinary,
  isFloat,
  isFun,
  isInteger,
  isList,
  isPid,
  isPort,
  isReference,
  isTuple,
  LocalFun,
  Pid,
  type Plain,
  Port,
  parse,
  Reference,
  type SizedTuple,
  type Term,
  type TermInput,
  TermMap,
  TermSyntaxError,
  type TermSyntaxErrorCode,
  type ToPlainOptions,
  Tuple,
  toJson,
  toPlain,
  toTerm,
  tuple,
} from "../etf/index.ts";
export {
  type Capture,
  type Explained,
  type ExplainOptions,
  explainCapture,
  explainedLine,
} from "./capture/explain.ts";
export {
  ConnectionClosedError,
  type ConnectionClosedErrorCode,
  DistProtocolError,
  type DistProtocolErrorCode,
} from "./distribution/errors.ts";
export { EpmdError, type EpmdErrorCode } from "./epmd/errors.ts";
export { HandshakeError, type HandshakeErrorCode } from "./handshake/errors.ts";
export { serveKvs } from "./kvs/service.ts";
export type { NameLike } from "./node/atoms.ts";
export { CallError, type CallErrorCode, NodeError, type NodeErrorCode } from "./node/errors.ts";
export type {
  LogEvent,
  LogLevel,
  MailboxesHalfFull,
  NodeDown,
  NodeEvents,
  NodeType,
  NodeUp,
} from "./node/events.ts";
export { ErlangError } from "./node/exceptions.ts";
export type { CallContext, ExposedFunction, ExposedModule } from "./node/exposed/functions.ts";
export { type TermType, typed, types } from "./node/exposed/typed.ts";
export type { EpmdOptions, NameService } from "./node/identity/name-service.ts";
export { type NameKind, type NodeName, nameKind } from "./node/identity/names.ts";
export type { ListenChoice } from "./node/options.ts";
export type { NodeKind } from "./node/peers/node-kind.ts";
export type { DistAutoConnect } from "./node/peers/peers-options.ts";
export { SpawnError, type SpawnErrorCode } from "./node/process/errors.ts";
export { type Matcher, Pattern, type ReceiveOptions, type Wanted } from "./node/process/mailbox.ts";
export type {
  Behaviour,
  Destination,
  MessagesOptions,
  MonitorTarget,
  Process,
  ProcessBody,
  SendOptions,
  SignalOptions,
} from "./node/process/process.ts";
export type {
  SpawnOnOptions,
  SpawnOptions,
  SpawnRequestOptions,
} from "./node/process/spawn-on.ts";
export type { MonitorOptions } from "./node/process/ties.ts";
export type { NodeStats } from "./node/runtime.ts";
export { type Traced, type TraceTokenOptions, traceToken } from "./node/signals/tracing.ts";
export { GenServer } from "./otp/behaviours/gen-server.ts";
export type {
  CallResult,
  GenServerStartOptions,
  HandleResult,
  InitResult,
  ServerStatus,
  Stop,
  Then,
} from "./otp/behaviours/gen-server-callbacks.ts";
export { GenStatem } from "./otp/behaviours/gen-statem.ts";
export type {
  CallbackMode,
  CallEvent,
  EnterEvent,
  InternalEvent,
  MessageEvent,
  QueuedEvent,
  ReplyAction,
  StatemAction,
  StatemEvent,
  StatemInitResult,
  StatemResult,
  StatemStatus,
  StatemStop,
  TimeoutEvent,
  TimeoutMs,
  Transition,
} from "./otp/behaviours/gen-statem-callbacks.ts";
export type { OtpNode } from "./otp/behaviours/otp-node.ts";
export { initAck } from "./otp/behaviours/proc-lib.ts";
export type { ServerStatistics, Sys } from "./otp/behaviours/sys.ts";
export type { StartOptions } from "./otp/behaviours/system-process.ts";
export {
  type Answer,
  type Answered,
  CallRequest,
  CallRequests,
  type WaitOptions,
} from "./otp/gen/call-request.ts";
export {
  badrpcOf,
  type ExceptionClass,
  erpcExceptionOf,
  RemoteError,
  type RemoteErrorCode,
  StartError,
  type StartErrorCode,
} from "./otp/gen/errors.ts";
export type { From, GenCallOptions, GenClient, GenMultiCallResult } from "./otp/gen/gen.ts";
export type { EventHandler, GenEventClient } from "./otp/gen/gen-event.ts";
export { IoError, type IoErrorCode } from "./otp/io/errors.ts";
export { IoClient, type IoOptions } from "./otp/io/io-client.ts";
export type { DeviceOptions, TextSink } from "./otp/io/io-device.ts";
export type { TextSource } from "./otp/io/io-input.ts";
export { Node, type NodeOptions } from "./otp/node.ts";
export type { CallOptions } from "./otp/rpc/erpc.ts";
export type { FunctionCall } from "./otp/rpc/rpc.ts";
export type {
  AutoShutdown,
  ChildSpec,
  ChildType,
  ModuleFunction,
  Restart,
  Shutdown,
  StartFunction,
} from "./otp/supervisor/child-spec.ts";
export {
  DynamicSupervisor,
  type DynamicSupervisorOptions,
} from "./otp/supervisor/dynamic-supervisor.ts";
export { Supervisor } from "./otp/supervisor/supervisor.ts";
export type { SupervisorState } from "./otp/supervisor/supervisor-base.ts";
export type {
  ChildCounts,
  ChildTuple,
  RemoteChildSpec,
  SupervisorClient,
} from "./otp/supervisor/supervisor-client.ts";
export type {
  RestartLimits,
  Strategy,
  SupervisorFlags,
} from "./otp/supervisor/supervisor-flags.ts";
export type { Clock, Timer } from "./transport/clock.ts";
export { TransportError, type TransportErrorCode } from "./transport/errors.ts";
export { type TcpOptions, tcpNetwork } from "./transport/tcp.ts";
export type {
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
  Transport,
  TransportReceiver,
} from "./transport/transport.ts";
