/**
 * A whole node, over a network in memory, with a peer past its handshake that says what Erlang nodes
 * say to services and behaviours, and what they do not say. Whatever is a message leaves the connection
 * up; whatever comes, the node and each of its services answer afterwards.
 */
import { format, isTuple, type Term } from "../../../etf/index.ts";
import { serveKvs } from "../../../src/kvs/service.ts";
import { GenServer } from "../../../src/otp/behaviours/gen-server.ts";
import { DynamicSupervisor } from "../../../src/otp/supervisor/dynamic-supervisor.ts";
import { Supervisor } from "../../../src/otp/supervisor/supervisor.ts";
import { Cluster, type TestNode } from "../../support/cluster.ts";
import { RawNode } from "../../support/raw-node.ts";
import type { Area } from "../area.ts";
import { Choices, claim, spoilt } from "../choices.ts";
import { frameOf, passThrough, tupleOf } from "../messages.ts";
import type { Model } from "../model.ts";
import { atom, CALLER, list, makeRequest, reference, SERVERS, toName } from "./service-requests.ts";

const NAME = "gandalf@vm";
/** Inputs that one node lives for. */
const LIFE = 400;

interface World {
  readonly cluster: Cluster;
  readonly node: TestNode;
  raw: RawNode;
  inputs: number;
}

let world: World | undefined;

export const services: Area = {
  name: "services",
  share: 30,
  allowance: { ms: 60, mebibytes: 32 },
  async run(choices) {
    if (world !== undefined && world.inputs >= LIFE) await services.reset!();
    world ??= await newWorld();
    world.inputs++;
    await serveAgain(world);
    const { raw, cluster, node } = world;
    const broken = choices.oneIn(8);
    let unruly = false;
    node.events.length = 0;
    for (let count = choices.below(3); count >= 0; count--) {
      const request = makeRequest(node, choices);
      unruly ||= request.unruly === true;
      const body = passThrough(request, choices);
      raw.bytes(frameOf(broken ? spoilt(body, choices) : body));
    }
    await cluster.settle();
    if (raw.closed) {
      const [down] = node.events;
      claim(broken || unruly, `what OTP takes for a message leaves the connection up (${down})`);
      claim(/ DIST_[A-Z_]+$/.test(down ?? ""), `a documented error ends a connection: ${down}`);
      world.raw = await RawNode.connect(cluster, NAME);
    }
    // What was spoilt may be an exit signal to any process.
    if (broken && node.whereis("probe") === undefined) await startProbe(cluster, node);
    await checkAlive(world);
  },
  async reset() {
    const old = world;
    world = undefined;
    await old?.cluster[Symbol.asyncDispose]();
  },
};

class Server extends GenServer {
  override handleCall(request: Term) {
    return { reply: request };
  }
  override handleCast(): void {}
  override handleInfo(): void {}
}

async function newWorld(): Promise<World> {
  const cluster = new Cluster();
  const node = await cluster.start(NAME);
  serveKvs(node);
  node.expose("m", {
    "echo/1": (term: Term) => term,
    "fail/0": () => {
      throw new Error("failed on purpose");
    },
  });
  await startProbe(cluster, node);
  const raw = await RawNode.connect(cluster, NAME);
  return { cluster, node, raw, inputs: 0 };
}

function startProbe(cluster: Cluster, node: TestNode): Promise<unknown> {
  return cluster.settled(new Server().start(node, { name: "probe" }));
}

/** What an input has ended, as it may, is there for the next. */
async function serveAgain({ cluster, node }: World): Promise<void> {
  for (const name of SERVERS) {
    if (node.whereis(name) === undefined) await cluster.settled(start(node, name));
  }
}

async function start(node: TestNode, name: string): Promise<unknown> {
  switch (name) {
    case "server":
      return new Server().start(node, { name });
    case "supervisor":
      return new Supervisor().start(node, { name });
    case "dynamic":
      return new DynamicSupervisor({
        child: { id: "child", start: (self) => new Server().startLink(node, self) },
      }).start(node, { name });
    default:
      return node.spawn({ message() {} }).register(name);
  }
}

const PROBES: readonly (readonly [name: string, request: Model, answer: RegExp])[] = [
  [
    "probe",
    tupleOf(atom("$gen_call"), tupleOf(CALLER, reference(9, 9, 1)), atom("here")),
    /^\{Ref,here\}$/,
  ],
  [
    "net_kernel",
    tupleOf(
      atom("$gen_call"),
      tupleOf(CALLER, reference(9, 9, 2)),
      tupleOf(atom("is_auth"), atom("other@vm")),
    ),
    /^\{Ref,yes\}$/,
  ],
  [
    "global_name_server",
    tupleOf(atom("$gen_call"), tupleOf(CALLER, reference(9, 9, 3)), atom("get_known")),
    /^\{Ref,\[\]\}$/,
  ],
  [
    "rex",
    tupleOf(
      CALLER,
      tupleOf(atom("call"), atom("m"), atom("echo"), list(atom("here")), atom("user")),
    ),
    /^\{rex,here\}$/,
  ],
  ["user", tupleOf(atom("io_request"), CALLER, atom("here"), atom("getopts")), /^\{io_reply,here,/],
  ["kvs", tupleOf(CALLER, tupleOf(atom("lookup"), atom("nothing here"))), /^\{kvs,undefined\}$/],
];
const PROBE_FRAMES = Buffer.concat(
  PROBES.map(([name, request]) =>
    frameOf(passThrough(toName(name, request), new Choices(new Uint8Array()))),
  ),
);

async function checkAlive({ cluster, raw }: World): Promise<void> {
  raw.take();
  raw.bytes(PROBE_FRAMES);
  await cluster.settle();
  const answers = raw.take().map(({ payload }) => shown(payload));
  for (const [name, , answer] of PROBES) {
    claim(
      answers.some((each) => answer.test(each)),
      `${name} answers afterwards`,
    );
  }
}

function shown(payload: Term | undefined): string {
  if (payload === undefined || !isTuple(payload)) return "";
  return format(payload, { mode: "~0tp" }).replaceAll(/#Ref<[^>]*>/g, "Ref");
}
