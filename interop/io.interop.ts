/**
 * The I/O protocol: OTP's module `io` does the same on a device of erldist as on a file of OTP, and erldist
 * prints to devices of OTP and reads from them.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, format, type Pid, type Process, type Term, tuple } from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { runCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type OurNode = Awaited<ReturnType<typeof startOurNode>>;

const TEXT = [
  "one\n",
  "€uro é\n",
  "{a, 'q a', \"s\",\n 1.5, $c, -7, #{k => <<1,2>>}}. [b].\n",
  "f(X, Y) when X =:= 1, Y =/= 2 ->\n  [Z || Z <- X, Z >= 1] ++ case Y of _ -> {ok} end.\n",
  'X = 1, Y = "two".\n',
  "a 99#1.\n",
  "{not, a, term\n",
  ", X}.\n",
  "the end",
];

/** A device that reads the text, in pieces that end anywhere. */
async function* pieces(): AsyncGenerator<string> {
  for (let at = 0; at < TEXT.join("").length; at += 7) yield TEXT.join("").slice(at, at + 7);
}

eachOtp((otp) => {
  let erl: OtpNode;
  let ours: OurNode;
  let session: OtpSession;
  let printed = "";
  let given: Pid | undefined;
  beforeAll(async () => {
    erl = await startOtpNode({ otp });
    ours = await startOurNode();
    ours.expose("ts", {
      device: () => {
        printed = "";
        return ours.openDevice({
          input: pieces(),
          output: (text) => {
            printed += text;
          },
          geometry: () => ({ columns: 132, rows: 50 }),
        }).pid;
      },
      async line(this: { self: Process }, prompt: Uint8Array) {
        const line = await ours.io.getLine(this.self.groupLeader, String(prompt));
        return line === undefined ? atom("eof") : line;
      },
      take: (pid: Pid) => {
        given = pid;
      },
    });
    session = erl.session();
    await session.eval(`N = '${ours.name}'`);
    const text = [...TEXT.join("")].map((character) => character.codePointAt(0)).join(",");
    await session.eval(`Text = [${text}], Path = "/tmp/${erl.name}"`);
    await session.eval("ok = file:write_file(Path, unicode:characters_to_binary(Text))");
  });
  afterAll(async () => {
    await session.eval("file:delete(Path)");
    session.close();
    await ours.stop();
    await erl.kill();
  });

  /** Evaluates with D bound to a device of erldist, and with D bound to a file of OTP. */
  async function onBoth(text: string): Promise<[string, string]> {
    const results: string[] = [];
    for (const open of [
      "rpc:call(N, ts, device, [])",
      "element(2, file:open(Path, [read, {encoding, utf8}]))",
    ]) {
      results.push(await session.eval(`(fun(D) -> ${text} end)(${open})`));
    }
    return results as [string, string];
  }

  describe("an Erlang node reads from our device as from its own file", () => {
    it.each([
      "[io:get_line(D, '') || _ <- lists:seq(1, 20)]",
      "[io:get_chars(D, '', K) || K <- [0, 1, 3, 7, 500, 1]]",
      "[file:read_line(D)] ++ [file:read(D, 1)]",
      "[io:get_line(D, '') || _ <- [1, 2]] ++ [io:read(D, '') || _ <- [1, 2]]",
      "[io:get_line(D, '') || _ <- [1, 2]] ++ [io:read(D, '', 7)]",
      "[io:get_line(D, '') || _ <- [1, 2]] ++ [io:scan_erl_exprs(D, '') || _ <- [1, 2, 3, 4]]",
      "[io:get_line(D, '') || _ <- [1, 2]] ++ [io:scan_erl_form(D, '', {3, 1}) || _ <- [1, 2, 3, 4]]",
      "[io:get_line(D, '') || _ <- [1, 2]] ++ [io:scan_erl_form(D, '') || _ <- [1, 2]] ++ [io:parse_erl_form(D, '')] ++ [io:parse_erl_exprs(D, '')]",
      "element(1, lists:last([io:get_line(D, '') || _ <- [1, 2]] ++ [io:scan_erl_exprs(D, '') || _ <- [1, 2, 3, 4, 5]]))",
      "[io:setopts(D, [binary]), io:get_line(D, ''), io:get_line(D, ''), io:get_chars(D, '', 4)]",
      "[io:setopts(D, [binary]), io:setopts(D, [list]), io:get_line(D, '')]",
      "lists:keyfind(encoding, 1, io:getopts(D))",
      "lists:keyfind(binary, 1, io:getopts(D))",
      "io:request(D, {requests, [{get_line, unicode, ''}, {get_line, unicode, ''}]})",
      "io:request(D, {get_line, ''})",
      "io:request(D, {get_chars, '', 3})",
    ])("%s", async (text) => {
      const [onOurs, onTheirs] = await onBoth(text);
      expect(onOurs).toBe(onTheirs);
    });

    it("to the end, and eof from then on", async () => {
      const [onOurs, onTheirs] = await onBoth(
        "begin io:get_chars(D, '', 500), [io:get_line(D, ''), io:get_chars(D, '', 1), element(1, io:scan_erl_exprs(D, '')), io:read(D, '')] end",
      );
      expect(onOurs).toBe(onTheirs);
      expect(onOurs).toBe("[eof,eof,eof,eof]");
    });
  });

  describe("an Erlang node uses our device as a terminal", () => {
    it.each([
      ['io:get_line(D, "name: ")', "name: "],
      ["io:get_line(D, 'atom> ')", "atom> "],
      ['io:get_line(D, {format, "~p> ", [{1}]})', "{1}> "],
      ['io:format(D, "~ts ~p~n", [[8364], {a, <<"b">>}])', '€ {a,<<"b">>}\n'],
      ["io:request(D, {put_chars, latin1, <<233>>})", "é"],
      ['io:put_chars(D, [8364, <<"x">>])', "€x"],
      ["io:write(D, {a, [1]}), io:nl(D)", "{a,[1]}\n"],
      ['io:requests(D, [{put_chars, unicode, "a"}, nl, {format, "~w", [b]}])', "a\nb"],
    ])("%s prints", async (text, shown) => {
      await session.eval(`(fun(D) -> ${text} end)(rpc:call(N, ts, device, []))`);
      expect(printed).toBe(shown);
    });

    it.each([
      ["[io:columns(D), io:rows(D)]", "[{ok,132},{ok,50}]"],
      ["io:request(D, nonsense)", "{error,request}"],
      ["io:request(D, {get_until, unicode, '', os, cmd, []})", "{error,cmd}"],
      ["io:setopts(D, [{nonsense, 1}])", "{error,enotsup}"],
      ["io:fread(D, '', \"~d\")", "{error,fread}"],
    ])("%s answers", async (text, answer) => {
      expect(await session.eval(`(fun(D) -> ${text} end)(rpc:call(N, ts, device, []))`)).toBe(
        answer,
      );
    });

    it("a reader that died takes nothing from it", async () => {
      await session.eval(`
        D = rpc:call(N, ts, device, []),
        Reader = spawn(fun() -> exit({read, io:get_line(D, '')}) end),
        Ref = monitor(process, Reader),
        receive {'DOWN', Ref, process, Reader, {read, "one\\n"}} -> ok end`);
      expect(await session.eval("io:get_line(D, '')")).toBe(
        await session.eval("lists:sublist(Text, 5, 7)"),
      );
    });
  });

  describe("an erldist node uses devices of OTP", () => {
    it("prints to a file and reads it back", async () => {
      await session.eval(
        '{ok, F} = file:open(Path ++ ".out", [read, write, {encoding, utf8}]), rpc:call(N, ts, take, [F])',
      );
      const file = given!;
      await ours.io.putChars(file, "€uro\n");
      await ours.io.format(file, "~p.~n~p. rest~n", [
        tuple(atom("a"), "bin", [1.5], new Map([[1, atom("q a")]])),
        -3,
      ]);
      expect(await session.eval("file:position(F, 0)")).toBe("{ok,0}");
      expect(await ours.io.getLine(file)).toBe("€uro\n");
      expect(format((await ours.io.read(file)) as Term)).toBe(
        "{a,<<\"bin\">>,[1.5],#{1 => 'q a'}}",
      );
      expect(await ours.io.read(file)).toBe(-3);
      expect(await ours.io.getChars(file, "", 3)).toBe("res");
      await ours.io.setOptions(file, [atom("binary")]);
      expect(await ours.io.getLine(file)).toBe("t\n");
      expect(await ours.io.getLine(file)).toBeUndefined();
      expect(await ours.io.read(file)).toBeUndefined();
      expect(await ours.io.columns(file)).toBeUndefined();
      await expect(ours.io.setOptions(file, [atom("nonsense")])).rejects.toMatchObject({
        code: "IO_ERROR",
      });
      await session.eval('file:close(F), file:delete(Path ++ ".out")');
      await expect(ours.io.putChars(file, "x")).rejects.toMatchObject({ code: "IO_TERMINATED" });
    });

    it("prints to the node's user", async () => {
      const text = `to user of ${erl.name} ${Math.random()}\n`;
      await ours.io.putChars(["user", erl.name], text);
      await waitUntil(() => erl.log.includes(text), { description: "the text to be printed" });
    });

    it("reads from the group leader of who called", async () => {
      await session.eval(`
        Self = self(),
        Leader = spawn(fun() ->
          receive {io_request, From, As, {get_line, unicode, Prompt}} ->
            From ! {io_reply, As, ["got ", Prompt, "\\n"]} end end),
        spawn(fun() -> group_leader(Leader, self()), Self ! {line, rpc:call(N, ts, line, [<<"> ">>])} end)`);
      expect(await session.eval("receive {line, L} -> L after 60000 -> timeout end")).toBe(
        '<<"got > \\n">>',
      );
    });
  });

  it("what a function called by `erldist call` reads is read from standard input", async () => {
    const args = ["call", erl.name, "io"];
    const line = await runCommand([...args, "get_line", '["name: "]'], { stdin: "frodo\nmore\n" });
    expect(line).toMatchObject({ code: 0, stdout: 'name: "frodo\\n"\n' });
    const term = await runCommand([...args, "read", "['']"], { stdin: "{a,\n1}.\n" });
    expect(term).toMatchObject({ code: 0, stdout: "{ok,{a,1}}\n" });
    const none = await runCommand([...args, "get_line", "['']"]);
    expect(none).toMatchObject({ code: 0, stdout: "eof\n" });
  });
});
