/**
 * What the node runs, as modules `code`, `application`, `init` and `os` report it.
 *
 * Spec: the pages of those modules. The modules are those with exposed functions. They have no files,
 * so they are `preloaded`, and no others can be loaded. The applications are erldist, and kernel and
 * stdlib for their services. `init` has no command line arguments, and the only environment variable
 * of an application is `net_ticktime`.
 */
import { hostname, release } from "node:os";
import {
  type Atom,
  atom,
  atomOf,
  charlist,
  isAtom,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { asTerm, ERROR, FILE, INFINITY, OK, UNDEFINED } from "../../node/atoms.ts";
import { parseNodeName } from "../../node/identity/names.ts";
import type { NodeCore } from "../../node/node.ts";
import { VERSION } from "../../version.ts";
import { MODULE, STARTED } from "../gen/atoms.ts";
import { badarg, exposeBifs, functionClause } from "./bifs.ts";
import { KERNEL_VERSION, OTP_RELEASE, STDLIB_VERSION } from "./version.ts";

const PRELOADED: Atom<"preloaded"> = atom("preloaded");

interface Application {
  readonly name: string;
  readonly description: string;
  readonly vsn: string;
}

/** The running applications, the last started first. */
const APPLICATIONS: readonly Application[] = [
  { name: "erldist", description: "Erlang distribution for Node.js", vsn: VERSION },
  { name: "stdlib", description: "ERTS  CXC 138 10", vsn: STDLIB_VERSION },
  { name: "kernel", description: "ERTS  CXC 138 10", vsn: KERNEL_VERSION },
];

/** Exposes the functions that report what is loaded and running. */
export function serveCodeModule(node: NodeCore): void {
  const isLoaded = (module: Term, otherwise: () => Error): boolean =>
    node.runtime.functions.modules().includes(named(module, otherwise).name);
  exposeBifs(node, "erlang", {
    "module_loaded/1": (_, module) => isLoaded(module, badarg),
    "function_exported/3": (_, module, name, arity) => {
      if (typeof arity !== "number") throw badarg();
      return node.runtime.functions.exports(named(module, badarg), named(name, badarg), arity);
    },
    "loaded/0": () => node.runtime.functions.modules().map((name) => asTerm(name)),
  });
  exposeBifs(node, "code", {
    "all_loaded/0": () =>
      node.runtime.functions.modules().map((name) => tuple(asTerm(name), PRELOADED)),
    "ensure_loaded/1": (_, name) =>
      isLoaded(name, functionClause) ? tuple(MODULE, name) : tuple(ERROR, atom("nofile")),
    "get_mode/0": () => atom("embedded"),
    "get_path/0": () => [],
    "is_loaded/1": (_, name) => (isLoaded(name, functionClause) ? tuple(FILE, PRELOADED) : false),
    "is_sticky/1": (_, name) => {
      named(name, functionClause);
      return false;
    },
    "module_status/1": (_, name) => atom(isLoaded(name, functionClause) ? "loaded" : "not_loaded"),
    "which/1": (_, name) => (isLoaded(name, functionClause) ? PRELOADED : atom("non_existing")),
  });
  serveApplication(node);
  serveSystem(node);
}

function serveApplication(node: NodeCore): void {
  const running = (): TermInput =>
    APPLICATIONS.map(({ name, description, vsn }) =>
      tuple(atom(name), charlist(description), charlist(vsn)),
    );
  const environment = (name: Term): [Atom, number][] =>
    isAtom(name, "kernel") ? [[atom("net_ticktime"), netTickTime(node)]] : [];
  const variable = (name: Term, key: Term): number | undefined =>
    environment(name).find(([known]) => known === key)?.[1];
  exposeBifs(node, "application", {
    "get_all_env/1": (_, name) => environment(name).map((entry) => tuple(...entry)),
    "get_all_key/1": (_, name) => {
      const keys = keysOf(name, environment(name));
      return keys === undefined ? UNDEFINED : tuple(OK, keys);
    },
    "get_env/2": (_, name, key) => {
      const value = variable(name, key);
      return value === undefined ? UNDEFINED : tuple(OK, value);
    },
    "get_env/3": (_, name, key, otherwise) => variable(name, key) ?? otherwise,
    "get_key/2": (_, name, key) => {
      const found = keysOf(name, environment(name))?.find(([known]) => known === key);
      return found === undefined ? UNDEFINED : tuple(OK, found[1]);
    },
    "loaded_applications/0": running,
    "which_applications/0": running,
    "which_applications/1": running,
  });
}

function serveSystem(node: NodeCore): void {
  exposeBifs(node, "init", {
    "get_argument/1": () => ERROR,
    "get_arguments/0": () => [],
    "get_plain_arguments/0": () => [],
    "get_status/0": () => tuple(STARTED, STARTED),
    "script_id/0": () => tuple(charlist("Erlang/OTP"), charlist(OTP_RELEASE)),
  });
  exposeBifs(node, "inet", {
    "gethostname/0": () => tuple(OK, charlist(hostname().split(".")[0]!)),
  });
  exposeBifs(node, "net_adm", {
    "localhost/0": () => charlist(parseNodeName(node.name)?.host ?? ""),
  });
  exposeBifs(node, "net_kernel", { "get_net_ticktime/0": () => netTickTime(node) });
  exposeBifs(node, "os", {
    "getpid/0": () => charlist(String(process.pid)),
    "type/0": () =>
      process.platform === "win32"
        ? tuple(atom("win32"), atom("nt"))
        : tuple(atom("unix"), atom(process.platform)),
    "version/0": () => {
      const [major = 0, minor = 0, patch = 0] = (release().match(/\d+/g) ?? []).map(Number);
      return tuple(major, minor, patch);
    },
  });
}

/** The net tick time in seconds. */
function netTickTime(node: NodeCore): number {
  return Math.round(node.netTickTimeMs / 1000);
}

/** The keys of an application's resource file; undefined for an unknown application. */
function keysOf(name: Term, env: readonly [Atom, number][]) {
  const known = APPLICATIONS.find((application) => isAtom(name, application.name));
  if (known === undefined) return undefined;
  const keys = {
    description: charlist(known.description),
    id: [],
    vsn: charlist(known.vsn),
    modules: [],
    maxP: INFINITY,
    maxT: INFINITY,
    registered: [],
    included_applications: [],
    optional_applications: [],
    applications: known.name === "kernel" ? [] : [atom("kernel")],
    env: env.map((entry) => tuple(...entry)),
    mod: [],
    start_phases: UNDEFINED,
  };
  return Object.entries(keys).map(([key, value]) => tuple(atom(key), value));
}

/** A term as an atom. @throws the error that `otherwise` makes */
function named(term: Term, otherwise: () => Error): Atom {
  const name = atomOf(term);
  if (name === undefined) throw otherwise();
  return name;
}
