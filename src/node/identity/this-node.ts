/**
 * The name and creation of this node. A node with a dynamic name gets both from a peer.
 *
 * The rules are those of `erl -sname undefined` ("Dynamic Node Name" in the reference manual). At first
 * such a node is `nonode@nohost`, does not listen, is hidden, and never connects automatically. The
 * first node it connects to names it (NAME_ME, status `named:`). It keeps the name until that connection
 * ends, and then all its other connections end too.
 */
import { type Atom, atom, type Pid, type Reference } from "../../../etf/index.ts";
import { type NameKind, type NodeName, nameKind as nameKindOf, parseNodeName } from "./names.ts";

const NONODE: Atom = atom("nonode@nohost");
const DYNAMIC = "undefined";

/** The identity of a node, which changes only if its name is dynamic. */
export class ThisNode {
  /** The host for which the node requests a dynamic name; undefined if its name is fixed. */
  readonly dynamicHost: string | undefined;
  /** The name that the node was started with. */
  readonly given: NodeName;
  /** Whether the node has short or long names. */
  readonly nameKind: NameKind;
  #node: Atom;
  #creation: number;

  /**
   * @param name a full name; `undefined@host` for a dynamic one
   * @param creation the node's creation; ignored for a dynamic name
   * @param nameKind whether the node has short or long names; default: as the name looks
   */
  constructor(name: NodeName, creation: number, nameKind: NameKind = nameKindOf(name)) {
    const { alive, host } = parseNodeName(name)!;
    this.dynamicHost = alive === DYNAMIC ? host : undefined;
    this.given = name;
    this.nameKind = nameKind;
    this.#node = this.dynamicHost === undefined ? atom(name) : NONODE;
    this.#creation = this.dynamicHost === undefined ? creation : 0;
  }

  /** The present name, as an atom. */
  get node(): Atom {
    return this.#node;
  }

  /** The present name, as text. */
  get name(): NodeName {
    return this.#node.name as NodeName;
  }

  /** The present creation; 0 while the node waits for its dynamic name. */
  get creation(): number {
    return this.#creation;
  }

  /** Whether the node still waits for its dynamic name. */
  get unnamed(): boolean {
    return this.dynamicHost !== undefined && this.#node === NONODE;
  }

  /** Takes the name and the creation that a peer gave. */
  rename(name: string, creation: number): void {
    this.#node = atom(name);
    this.#creation = creation;
  }

  /** Gives up the dynamic name. */
  unname(): void {
    this.#node = NONODE;
    this.#creation = 0;
  }

  /**
   * Moves an identifier that this node made under an earlier name to its present name. The emulator's
   * local identifiers belong to the node whatever its name is; here the program holds the object and
   * keeps using it.
   */
  adopt(identifier: Pid | Reference): void {
    const own = identifier as { node: Atom; creation: number };
    own.node = this.#node;
    own.creation = this.#creation;
  }
}
