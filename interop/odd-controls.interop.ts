/** Odd control messages: after which of them each release keeps the connection; test/node has the same for erldist. */
import { expect, it } from "vitest";
import {
  atom,
  decode,
  type Pid,
  type Port,
  type Reference,
  type Term,
  type Tuple,
  tuple,
} from "../etf/index.ts";
import { DFLAG, OFFERED_FLAGS } from "../src/distribution/flags.ts";
import { type Ends, oddControls } from "../test/support/odd-controls.ts";
import { messageBytes } from "../test/support/raw-node.ts";
import { type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { connectBare } from "./support/bare-peer.ts";
import { eachOtp } from "./support/vitest.ts";

/** Frames without a distribution header. */
const FLAGS = OFFERED_FLAGS & ~DFLAG.DIST_HDR_ATOM_CACHE & ~DFLAG.FRAGMENTS;

const SINK = `fun Sink(Marks) ->
  receive
    {ask, From} -> From ! {marks, Marks}, Sink(Marks);
    {mark, N} -> Sink([N | Marks]);
    _ -> Sink(Marks)
  end
end`;

async function endsOf(session: OtpSession): Promise<Omit<Ends, "me">> {
  const bytes = await session.evalBytes(`
    Sink = spawn(fun() -> process_flag(trap_exit, true), (${SINK})([]) end),
    true = register(sink, Sink),
    {Dead, Gone} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Gone, _, _, _} -> ok end,
    {Sink, Dead, make_ref(), hd(erlang:ports())}`);
  const [sink, dead, ref, port] = decode(bytes) as unknown as Tuple<[Pid, Pid, Reference, Port]>;
  return { sink, dead, ref, port };
}

eachOtp((otp) => {
  const release = Number(otp.release);

  it("the connection is kept and ends as the table says", async () => {
    await using genuine = await startOtpNode({ otp });
    await using session = genuine.session();
    const ends = await endsOf(session);
    const wrong: string[] = [];
    const count = oddControls({ ...ends, me: "nobody@nowhere" }).length;
    for (let n = 0; n < count; n++) {
      await using peer = await connectBare(genuine.name, { flags: FLAGS });
      const {
        name,
        before = [],
        control,
        payload,
        keptFrom,
      } = oddControls({
        ...ends,
        me: peer.name,
      })[n]!;
      for (const each of before) peer.sayFrame(messageBytes(each));
      peer.sayFrame(messageBytes(control, payload, release >= 24));
      const mark = tuple(atom("mark"), n);
      peer.sayFrame(messageBytes(tuple(6, ends.sink, atom(""), atom("sink")), mark));
      let ended = false;
      void peer.closed.then(() => {
        ended = true;
      });
      const marked = async (): Promise<boolean> => {
        const marks = decode(
          await session.evalBytes(
            "sink ! {ask, self()}, (fun() -> receive {marks, Marks} -> Marks end end)()",
          ),
        );
        return (marks as Term[]).includes(n);
      };
      const kept = await waitUntil(
        async () => (ended ? "ended" : (await marked()) ? "kept" : undefined),
        { description: `an end of ${name}` },
      );
      if (kept !== (release >= keptFrom ? "kept" : "ended")) wrong.push(`${name}: ${kept}`);
    }
    expect(wrong).toEqual([]);
  });
});
