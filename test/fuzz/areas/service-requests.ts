/** What Erlang nodes say to the services and servers of the area `services`, and what they do not say. */
import type { TestNode } from "../../support/cluster.ts";
import type { Choices } from "../choices.ts";
import { makeModel, near } from "../make.ts";
import { type MadeMessage, makeMessage, tupleOf } from "../messages.ts";
import type { Model, PidModel } from "../model.ts";

const SERVICES = ["rex", "net_kernel", "global_name_server", "user", "kvs"];
/** Of the program's own: an input may end them. */
export const SERVERS = ["server", "supervisor", "dynamic", "victim"];

export const atom = (name: string): Model => ({ is: "atom", name });
const integer = (value: number): Model => ({ is: "integer", value: BigInt(value) });
export const list = (...items: Model[]): Model => ({ is: "list", items });
const text = (of: string): Model => ({ is: "bits", bytes: Buffer.from(of), lastBits: 8 });
export const reference = (...ids: number[]): Model => ({
  is: "reference",
  node: "other@vm",
  creation: 7,
  ids,
});
export const CALLER: PidModel = { is: "pid", node: "other@vm", id: 1, serial: 2, creation: 7 };
const UNUSED = atom("");

export function toName(name: string, payload: Model): MadeMessage {
  return { control: tupleOf(integer(6), CALLER, UNUSED, atom(name)), payload };
}

export function makeRequest(node: TestNode, choices: Choices): MadeMessage {
  switch (choices.below(8)) {
    case 0:
      return toName(choices.pick([...SERVICES, ...SERVERS, "true", "nobody"]), makeModel(choices));
    case 1:
      return signal(node, choices);
    case 2:
      return { ...addressed(makeMessage(choices), node, choices), unruly: true };
    case 3:
      return spawnRequest(choices);
    default: {
      const [name, request] = serviceRequest(node, choices);
      return toName(name, choices.oneIn(3) ? near(request, choices) : request);
    }
  }
}

function from(choices: Choices): Model {
  const tag = reference(choices.byte(), choices.byte(), 3);
  return tupleOf(
    CALLER,
    choices.oneIn(3)
      ? { is: "list", items: [atom("alias")], tail: tag }
      : choices.oneIn(4)
        ? makeModel(choices, 4)
        : tag,
  );
}

const call = (choices: Choices, request: Model): Model =>
  tupleOf(atom("$gen_call"), from(choices), request);
const cast = (request: Model): Model => tupleOf(atom("$gen_cast"), request);

function mfa(choices: Choices): Model[] {
  const args = choices.oneIn(3) ? makeModel(choices, 3) : list(makeModel(choices, 2));
  return [
    atom(choices.pick(["m", "m", "erlang", "kvs", "code", "io", "true", "erpc"])),
    atom(
      choices.pick(["echo", "fail", "process_info", "node", "lookup", "store", "memory", "true"]),
    ),
    args,
  ];
}

function serviceRequest(node: TestNode, choices: Choices): [name: string, request: Model] {
  const value = makeModel(choices, 2);
  switch (choices.below(11)) {
    case 0:
      return ["rex", tupleOf(CALLER, tupleOf(atom("call"), ...mfa(choices), atom("user")))];
    case 1: {
      const kind = choices.pick(["call", "block_call"]);
      return ["rex", call(choices, tupleOf(atom(kind), ...mfa(choices), CALLER))];
    }
    case 2: {
      const kind = choices.pick(["sbcast", "send"]);
      return [
        "rex",
        tupleOf(
          CALLER,
          tupleOf(atom(kind), atom(choices.pick(["victim", "nobody", "true"])), value),
        ),
      ];
    }
    case 3: {
      const id = tupleOf(value, tupleOf(CALLER));
      return [
        "global_name_server",
        call(choices, tupleOf(atom(choices.pick(["set_lock", "del_lock"])), id)),
      ];
    }
    case 4: {
      const locker = tupleOf(atom("locker"), atom("no_longer_a_pid"), list(), CALLER);
      const init = tupleOf(
        atom("init_connect"),
        tupleOf(integer(8), value),
        atom("other@vm"),
        locker,
      );
      return ["global_name_server", cast(init)];
    }
    case 5:
      return ["net_kernel", call(choices, tupleOf(atom("is_auth"), atom("other@vm")))];
    case 6:
      return ["user", tupleOf(atom("io_request"), CALLER, value, ioRequest(choices))];
    case 7: {
      const request = choices.oneIn(2)
        ? tupleOf(atom("store"), value, makeModel(choices, 3))
        : tupleOf(atom("lookup"), value);
      return ["kvs", tupleOf(CALLER, request)];
    }
    case 8:
      return [
        choices.pick(["server", "supervisor", "dynamic"]),
        choices.oneIn(2) ? call(choices, value) : cast(value),
      ];
    case 9: {
      const kinds = [
        "get_state",
        "get_status",
        "suspend",
        "resume",
        "terminate",
        "debug",
        "get_log",
      ];
      const request = atom(choices.pick(kinds));
      return [
        choices.pick(SERVERS),
        tupleOf(
          atom("system"),
          from(choices),
          choices.oneIn(3) ? tupleOf(request, value) : request,
        ),
      ];
    }
    default:
      return supervisorRequest(choices, value, node);
  }
}

function supervisorRequest(choices: Choices, value: Model, node: TestNode): [string, Model] {
  const id = choices.oneIn(2) ? pidOf(node, choices.pick(SERVERS)) : value;
  const child = tupleOf(
    atom("id"),
    tupleOf(...mfa(choices)),
    atom(choices.pick(["permanent", "temporary"])),
    choices.oneIn(2) ? integer(100) : atom("brutal_kill"),
    atom("worker"),
    list(atom("m")),
  );
  const requests = [
    atom("which_children"),
    atom("count_children"),
    tupleOf(atom("start_child"), child),
    tupleOf(atom("start_child"), list(value)),
    tupleOf(atom("terminate_child"), id),
    tupleOf(atom("restart_child"), id),
    tupleOf(atom("delete_child"), id),
    tupleOf(atom("get_childspec"), id),
  ];
  return [choices.pick(["supervisor", "dynamic"]), call(choices, choices.pick(requests))];
}

function ioRequest(choices: Choices): Model {
  const encoding = atom(choices.pick(["unicode", "latin1"]));
  const format = choices.pick([
    "~p~n",
    "~ts",
    "~w ~10p",
    "~s",
    "~.3f",
    "~1000000c",
    "~.1000000f",
    "~*c",
    "~W",
    "~5..*s",
  ]);
  const args = list(makeModel(choices, 2), integer(choices.byte()));
  const requests = [
    tupleOf(atom("put_chars"), encoding, makeModel(choices, 3)),
    tupleOf(atom("put_chars"), encoding, text("said")),
    tupleOf(atom("put_chars"), encoding, atom("io_lib"), atom("format"), list(text(format), args)),
    tupleOf(atom("get_line"), encoding, text("> ")),
    tupleOf(atom("get_chars"), encoding, text("> "), integer(choices.byte())),
    tupleOf(
      atom("get_until"),
      encoding,
      text("> "),
      atom("erl_scan"),
      atom("tokens"),
      list(integer(1)),
    ),
    atom("getopts"),
    tupleOf(atom("setopts"), list(tupleOf(atom("binary"), atom("true")))),
    tupleOf(atom("get_geometry"), atom("columns")),
  ];
  const request = choices.pick(requests);
  return choices.oneIn(5)
    ? tupleOf(atom("requests"), list(request, choices.pick(requests)))
    : request;
}

function spawnRequest(choices: Choices): MadeMessage {
  const id = reference(choices.byte(), 2, 3);
  const [module, name, args] = mfa(choices) as [Model, Model, Model];
  const erpc = choices.oneIn(2);
  const target = erpc
    ? tupleOf(atom("erpc"), atom("execute_call"), integer(4))
    : tupleOf(module, name, integer(choices.below(3)));
  const options = [atom("monitor"), atom("link"), tupleOf(atom("priority"), atom("high"))];
  const control = tupleOf(
    integer(29),
    id,
    CALLER,
    CALLER,
    target,
    list(...options.slice(0, choices.below(4))),
  );
  return { control, payload: erpc ? list(id, module, name, args) : args };
}

function pidOf(node: TestNode, name: string): Model {
  const { creation } = node;
  const { id, serial } = node.whereis(name)?.pid ?? { id: 0x7fff, serial: 0x1fff };
  return { is: "pid", node: node.name, id, serial, creation };
}

/** A link, a monitor, an end of either, or an exit signal, to one that may be ended. */
function signal(node: TestNode, choices: Choices): MadeMessage {
  const to = pidOf(node, choices.pick(SERVERS));
  const ref = reference(choices.below(4), 1);
  const proc = choices.oneIn(3) ? atom(choices.pick([...SERVICES, ...SERVERS, "true"])) : to;
  const reason = choices.oneIn(2)
    ? atom(choices.pick(["normal", "kill", "shutdown"]))
    : makeModel(choices, 3);
  const controls: [number, ...Model[]][] = [
    [1, CALLER, to],
    [35, integer(1 + choices.byte()), CALLER, to],
    [36, integer(1 + choices.byte()), CALLER, to],
    [19, CALLER, proc, ref],
    [20, CALLER, proc, ref],
    [7, CALLER, to],
  ];
  if (choices.oneIn(3))
    return { control: tupleOf(integer(choices.pick([24, 26])), CALLER, to), payload: reason };
  const [op, ...fields] = choices.pick(controls);
  return { control: tupleOf(integer(op), ...fields), payload: undefined };
}

/** The message with processes of the node in the places of some that do not exist. */
function addressed(message: MadeMessage, node: TestNode, choices: Choices): MadeMessage {
  const items = (message.control as Model & { is: "tuple" }).items.map((item, index) => {
    if (item.is !== "pid") return item;
    return index === 1 ? CALLER : choices.oneIn(2) ? pidOf(node, choices.pick(SERVERS)) : item;
  });
  return { control: { is: "tuple", items }, payload: message.payload };
}
