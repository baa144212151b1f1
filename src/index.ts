/** The public names of `erldist`, and nothing else. */
export {
  Atom,
  atom,
  atomOf,
  BitString,
  charlist,
  ExternalFun,
  Float,
  float,
  format,
  fromJson,
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
  Port,
  parse,
  Reference,
  type Term,
  type TermInput,
  TermMap,
  TermSyntaxError,
  Tuple,
  toJson,
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
export { ConnectionClosedError, DistProtocolError } from "./distribution/errors.ts";
export { EpmdError } from "./epmd/errors.ts";
export { HandshakeError } from "./handshake/errors.ts";
export { serveKvs } from "./kvs/service.ts";
export type { AtomName } from "./node/as-atom.ts";
export { CallError, ErlangError, NodeError } from "./node/errors.ts";
export type { CallContext, ExposedFunction, ExposedModule } from "./node/functions.ts";
export type { LogEvent, LogLevel } from "./node/log-event.ts";
export { type Matcher, Pattern, type ReceiveOptions, type Wanted } from "./node/mailbox.ts";
export type { MonitorOptions } from "./node/monitors.ts";
export type { EpmdOptions, NameService } from "./node/name-service.ts";
export { type NameKind, type NodeName, nameKind } from "./node/names.ts";
export type { NodeStats } from "./node/node.ts";
export type {
  MailboxesHalfFull,
  NodeDown,
  NodeEvents,
  NodeType,
  NodeUp,
} from "./node/node-events.ts";
export type { NodeKind } from "./node/node-kind.ts";
export type { DistAutoConnect } from "./node/peers.ts";
export type { ListenChoice } from "./node/prepare.ts";
export type {
  Behaviour,
  Destination,
  MessagesOptions,
  MonitorTarget,
  Process,
  ProcessBody,
  SendOptions,
  SignalOptions,
} from "./node/process.ts";
export {
  SpawnError,
  type SpawnOnOptions,
  type SpawnOptions,
  type SpawnRequestOptions,
} from "./node/remote-spawn.ts";
export { type Traced, type TraceTokenOptions, traceToken } from "./node/tracing.ts";
export { type TermType, typed, types } from "./node/typed.ts";
export {
  type Answer,
  type Answered,
  CallRequest,
  CallRequests,
  type WaitOptions,
} from "./otp/call-request.ts";
export type {
  AutoShutdown,
  ChildSpec,
  ChildType,
  ModuleFunction,
  Restart,
  Shutdown,
  StartFunction,
} from "./otp/child-spec.ts";
export { DynamicSupervisor, type DynamicSupervisorOptions } from "./otp/dynamic-supervisor.ts";
export type { CallOptions } from "./otp/erpc.ts";
export { badrpcOf, erpcExceptionOf, RemoteError } from "./otp/errors.ts";
export type { GenCallOptions, GenClient, GenMultiCallResult } from "./otp/gen.ts";
export type { EventHandler, GenEventClient } from "./otp/gen-event.ts";
export { GenServer } from "./otp/gen-server.ts";
export type {
  CallResult,
  From,
  GenServerStartOptions,
  HandleResult,
  InitResult,
  ServerStatus,
  Stop,
  Then,
} from "./otp/gen-server-callbacks.ts";
export { GenStatem } from "./otp/gen-statem.ts";
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
} from "./otp/gen-statem-callbacks.ts";
export { IoClient, IoError, type IoErrorCode, type IoOptions } from "./otp/io-client.ts";
export type { DeviceOptions, TextSink } from "./otp/io-device.ts";
export type { TextSource } from "./otp/io-input.ts";
export { Node, type NodeOptions } from "./otp/node.ts";
export { initAck } from "./otp/proc-lib.ts";
export type { FunctionCall } from "./otp/rpc.ts";
export { StartError } from "./otp/start-error.ts";
export { Supervisor } from "./otp/supervisor.ts";
export type { SupervisorState } from "./otp/supervisor-base.ts";
export type {
  ChildCounts,
  ChildTuple,
  RemoteChildSpec,
  SupervisorClient,
} from "./otp/supervisor-client.ts";
export type { RestartLimits, Strategy, SupervisorFlags } from "./otp/supervisor-flags.ts";
export type { ServerStatistics, Sys } from "./otp/sys.ts";
export type { StartOptions } from "./otp/system-process.ts";
export { TransportError } from "./transport/transport.ts";
