/** A supervised GenServer that counts what clients may still do: node rate-limiter.ts [NAME] */
import {
  atom,
  type CallResult,
  format,
  GenServer,
  type HandleResult,
  isTuple,
  Node,
  Supervisor,
  type Term,
  TermMap,
  tuple,
} from "erldist";

const LIMIT = 2;
const WINDOW_MS = 60_000;

/**
 * gen_server:call({limiter, Node}, {take, Client}) is ok, or {error, busy} once Client has taken LIMIT in a
 * window. gen_server:cast({limiter, Node}, {forget, Client}) lets it begin anew.
 */
class Limiter extends GenServer<TermMap<Term, number>> {
  override state: TermMap<Term, number> = new TermMap(); // sys:get_state shows it: Client => Taken
  #window: NodeJS.Timeout | undefined;

  override init(): void {
    this.#window = setInterval(() => this.state.clear(), WINDOW_MS);
  }

  override handleCall(request: Term): CallResult {
    if (!isTuple(request, 2) || request[0] !== atom("take")) {
      return { reply: tuple(atom("error"), atom("bad_request")) };
    }
    const taken = this.state.get(request[1]) ?? 0;
    if (taken >= LIMIT) return { reply: tuple(atom("error"), atom("busy")) };
    this.state.set(request[1], taken + 1);
    return { reply: atom("ok") };
  }

  // Anything but {forget, Client} ends the server, as a missing clause would; its supervisor starts it again.
  override handleCast(request: Term): HandleResult {
    if (!isTuple(request, 2)) throw new TypeError(`Not a request: ${format(request)}`);
    this.state.delete(request[1]);
  }

  override terminate(): void {
    clearInterval(this.#window);
  }
}

const [name = "gate"] = process.argv.slice(2);
const node = await Node.start({ name });
const supervisor = new Supervisor(
  [{ id: "limiter", start: (self) => new Limiter().startLink(node, self, { name: "limiter" }) }],
  { intensity: 3, period: 5 },
);
await supervisor.start(node, { name: "gate_sup" });
node.on("log", ({ level, report }) => console.error(level, format(report)));
