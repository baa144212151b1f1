/** Calls a GenServer of a Phoenix application: node call-phoenix.ts NODE */
import { atom, CallError, format, Node, RemoteError, type TermInput, tuple } from "erldist";
import { toPlain } from "erldist/etf";

const [shop = ""] = process.argv.slice(2);

// A node that only calls: it accepts no connections, and EPMD does not know it.
await using node = await Node.start({
  name: `web_${process.pid}`,
  listen: false,
  epmd: { mode: "off" },
});

/** What a server answers, as plain values; or why it does not. */
async function ask(server: string, request: TermInput): Promise<unknown> {
  try {
    return toPlain(await node.gen.call([server, shop], request, { timeoutMs: 2_000 }));
  } catch (error) {
    // The server does not run, or it crashed: its exit reason, as Elixir's inspect shows it.
    if (error instanceof RemoteError) return format(error.reason, { syntax: "elixir" });
    // The node cannot be reached (CALL_NO_CONNECTION), or the time is over (CALL_TIMEOUT).
    if (error instanceof CallError) return error.code;
    throw error;
  }
}

console.log(await ask("Elixir.Shop.Cart", tuple(atom("add"), "tea", 2)));
console.log(await ask("Elixir.Shop.Cart", atom("items")));
console.log(await ask("Elixir.Shop.Orders", atom("list")));
console.log(await ask("Elixir.Shop.Cart", atom("nap")));
