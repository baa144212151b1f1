/** Functions of TypeScript that Erlang and Elixir call: node serve-functions.ts [NAME] */
import { atom, type CallContext, ErlangError, Node, tuple, typed, types } from "erldist";

const { integer, listOf, number, plain, string } = types;
const [name = "text"] = process.argv.slice(2);
const node = await Node.start({ name });

node.expose("text", {
  // :text.upcase("é") is "É": a binary or a charlist, and a binary back.
  upcase: typed([string], string, (text) => text.toUpperCase()),

  // What JavaScript has built in and Erlang has not.
  format_number: typed([number, string], string, (value, locale) =>
    new Intl.NumberFormat(locale).format(value),
  ),

  // Maps as objects, atoms and strings as strings.
  render: typed([string, plain], string, (template, values) =>
    template.replace(/\{(\w+)\}/g, (_, key) => String((values as Record<string, unknown>)[key])),
  ),

  // The caller gets an error of its own kind: erlang:error({too_long, 3}).
  join: typed([listOf(string), integer], string, (parts, limit) => {
    if (parts.length > limit) throw ErlangError.error(tuple(atom("too_long"), limit));
    return parts.join(", ");
  }),

  // Ends early when the caller dies or its node goes away.
  async fetch(this: CallContext, url: Uint8Array) {
    const answer = await fetch(new TextDecoder().decode(url), { signal: this.signal });
    return new Uint8Array(await answer.arrayBuffer());
  },
});
