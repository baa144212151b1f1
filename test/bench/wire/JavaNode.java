// A Java node with Jinterface that serves what wire_server.erl lists, but for rpc: Jinterface offers no
// DFLAG_SPAWN, so callers are told `notsup` by their own runtime.
//
//     java -cp OtpErlang.jar:FOLDER JavaNode NAME@HOST COOKIE    prints "ready PORT"
//
// A thread per mailbox, as Jinterface means it.

import com.ericsson.otp.erlang.OtpErlangAtom;
import com.ericsson.otp.erlang.OtpErlangBinary;
import com.ericsson.otp.erlang.OtpErlangLong;
import com.ericsson.otp.erlang.OtpErlangObject;
import com.ericsson.otp.erlang.OtpErlangPid;
import com.ericsson.otp.erlang.OtpErlangTuple;
import com.ericsson.otp.erlang.OtpMbox;
import com.ericsson.otp.erlang.OtpNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

public final class JavaNode {
  private interface Handler {
    void message(OtpMbox mailbox, OtpErlangObject message) throws Exception;
  }

  private static final OtpErlangAtom COUNT = new OtpErlangAtom("count");
  private static final OtpErlangAtom FLOOD = new OtpErlangAtom("flood");
  private static final OtpErlangAtom BINARY = new OtpErlangAtom("binary");
  private static final OtpErlangAtom KVS = new OtpErlangAtom("kvs");
  private static final OtpErlangAtom OK = new OtpErlangAtom("ok");
  private static final OtpErlangAtom UNDEFINED = new OtpErlangAtom("undefined");

  private static final Map<OtpErlangObject, OtpErlangObject> STORE = new HashMap<>();
  private static long counted = 0;

  public static void main(String[] arguments) throws Exception {
    OtpNode node = new OtpNode(arguments[0], arguments[1]);
    STORE.put(new OtpErlangAtom("weather"), new OtpErlangAtom("fine"));
    serve(node, "echo", JavaNode::echo);
    serve(node, "gen_echo", JavaNode::genEcho);
    serve(node, "sink", JavaNode::sink);
    serve(node, "kvs", JavaNode::kvs);
    System.out.println("ready " + node.port());
    System.out.flush();
  }

  private static void serve(OtpNode node, String name, Handler handler) {
    OtpMbox mailbox = node.createMbox(name);
    Thread thread = new Thread(() -> {
      while (true) {
        try {
          handler.message(mailbox, mailbox.receive());
        } catch (Exception problem) {
          System.err.println(name + ": " + problem);
        }
      }
    }, name);
    thread.start();
  }

  private static OtpErlangTuple tuple(OtpErlangObject... elements) {
    return new OtpErlangTuple(elements);
  }

  // {From, Ref, Term} -> {Ref, Term}
  private static void echo(OtpMbox mailbox, OtpErlangObject message) {
    OtpErlangTuple request = (OtpErlangTuple) message;
    mailbox.send((OtpErlangPid) request.elementAt(0),
        tuple(request.elementAt(1), request.elementAt(2)));
  }

  // {'$gen_call', {From, Tag}, Term} -> {Tag, Term}, to From: this node knows no aliases.
  private static void genEcho(OtpMbox mailbox, OtpErlangObject message) {
    OtpErlangTuple call = (OtpErlangTuple) message;
    OtpErlangTuple from = (OtpErlangTuple) call.elementAt(1);
    mailbox.send((OtpErlangPid) from.elementAt(0), tuple(from.elementAt(1), call.elementAt(2)));
  }

  private static void kvs(OtpMbox mailbox, OtpErlangObject message) {
    OtpErlangTuple request = (OtpErlangTuple) message;
    OtpErlangTuple lookup = (OtpErlangTuple) request.elementAt(1);
    OtpErlangObject found = STORE.get(lookup.elementAt(1));
    mailbox.send((OtpErlangPid) request.elementAt(0),
        tuple(KVS, found == null ? UNDEFINED : tuple(OK, found)));
  }

  private static void sink(OtpMbox mailbox, OtpErlangObject message) throws Exception {
    OtpErlangTuple tuple = (OtpErlangTuple) message;
    if (tuple.arity() != 2 || !(tuple.elementAt(0) instanceof OtpErlangPid)) {
      counted++;
      return;
    }
    OtpErlangPid from = (OtpErlangPid) tuple.elementAt(0);
    OtpErlangObject request = tuple.elementAt(1);
    if (request.equals(COUNT)) {
      mailbox.send(from, tuple(COUNT, new OtpErlangLong(counted)));
      return;
    }
    OtpErlangTuple parts = (OtpErlangTuple) request;
    if (parts.elementAt(0).equals(FLOOD)) {
      for (long n = ((OtpErlangLong) parts.elementAt(1)).longValue(); n > 0; n--) {
        mailbox.send(from, tuple(FLOOD, new OtpErlangLong(n)));
      }
    } else {
      byte[] bytes = new byte[((OtpErlangLong) parts.elementAt(1)).intValue()];
      Arrays.fill(bytes, (byte) 'b');
      OtpErlangBinary binary = new OtpErlangBinary(bytes);
      for (long n = ((OtpErlangLong) parts.elementAt(2)).longValue(); n > 0; n--) {
        mailbox.send(from, tuple(BINARY, binary));
      }
    }
  }
}
