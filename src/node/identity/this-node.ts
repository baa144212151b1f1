/**
 * Who this node is: its name and creation, which a node with a dynamic name gets from a peer.
 *
 * As `erl -sname undefined` has it ("Dynamic Node Name" of the reference manual): such a node is
 * `nonode@nohost`, does not listen, is hidden, and connects to nobody by itself. The first node it
 * connects to names it (NAME_ME, status `named:`), and it keeps the name until that connection ends;
 * all others end with it then.
 */
import { type Atom, atom, type Pid, type Reference } from "../../../etf/index.ts";
import { type NameKind, type NodeName, nameKind as nameKindOf, splitNodeName } from "./names.ts";

const NONODE: Atom = atom("nonode@nohost");
const DYNAMIC = "undefined";

export class ThisNode {
  /** The host that a name is asked for on; undefined for a node that has a name of its own. */
  readonly dynamicHost: string | undefined;
  /** The name as it was given at the start. */
  readonly given: NodeName;
  readonly nameKind: NameKind;
  #node: Atom;
  #creation: number;

  /**
   * @param name a full name; with `undefined` in front of the host, a dynamic one
   * @param nameKind whether the node has short or long names; default what the name looks like
   */
  constructor(name: NodeName, creation: number, nameKind: NameKind = nameKindOf(name)) {
    const { alive, host } = splitNodeName(name)!;
    this.dynamicHost = alive === DYNAMIC ? host : undefined;
    this.given = name;
    this.nameKind = nameKind;
    this.#node = this.dynamicHost === undefined ? atom(name) : NONODE;
    this.#creation = this.dynamicHost === undefined ? creation : 0;
  }

  get node(): Atom {
    return this.#node;
  }

  get name(): NodeName {
    return this.#node.name as NodeName;
  }

  get creation(): number {
    return this.#creation;
  }

  /** Whether the node is yet to be named. */
  get unnamed(): boolean {
    return this.dynamicHost !== undefined && this.#node === NONODE;
  }

  rename(name: string, creation: number): void {
    this.#node = atom(name);
    this.#creation = creation;
  }

  /** Takes the name back that a peer gave. */
  unname(): void {
    this.#node = NONODE;
    this.#creation = 0;
  }

  /**
   * Makes an identifier of this node's that was made under another name one of its present name.
   * What the emulator has in its memory is of the node whatever its name is; here the program
   * holds the object, and goes on using it.
   */
  adopt(identifier: Pid | Reference): void {
    const own = identifier as { node: Atom; creation: number };
    own.node = this.#node;
    own.creation = this.#creation;
  }
}
