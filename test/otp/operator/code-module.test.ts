import { describe, expect, test } from "vitest";
import { atom } from "../../../etf/index.ts";
import { VERSION } from "../../../src/version.ts";
import { setUp } from "../../support/asking.ts";

describe("code and applications", () => {
  test("exposed modules are loaded, and no others", async () => {
    const { gandalf, ask } = await setUp();
    gandalf.expose("m", { "f/2": () => 1 });
    const m = atom("m");
    expect(await ask("code", "is_loaded", m)).toBe("{file,preloaded}");
    expect(await ask("code", "ensure_loaded", m)).toBe("{module,m}");
    expect(await ask("code", "which", atom("lists"))).toBe("non_existing");
    expect(await ask("code", "which", 1)).toMatch(/^\{failed,function_clause,\[\{code,which,\[1\]/);
    expect(await ask("erlang", "function_exported", m, atom("f"), 2)).toBe("true");
    expect(await ask("erlang", "function_exported", m, atom("f"), 1)).toBe("false");
    expect(await ask("erlang", "function_exported", atom("erpc"), atom("execute_call"), 4)).toBe(
      "true",
    );
    expect(await ask("erlang", "module_loaded", m)).toBe("true");
    expect(await ask("code", "all_loaded")).toContain("{m,preloaded}");
  });

  test("the applications are kernel, stdlib and erldist", async () => {
    const { ask } = await setUp();
    expect(await ask("application", "which_applications")).toContain(
      `{erldist,"Erlang distribution for Node.js","${VERSION}"}`,
    );
    expect(await ask("application", "get_key", atom("erldist"), atom("vsn"))).toBe(
      `{ok,"${VERSION}"}`,
    );
    expect(await ask("application", "get_env", atom("kernel"), atom("net_ticktime"))).toBe(
      "{ok,60}",
    );
    expect(await ask("application", "get_env", atom("stdlib"), atom("x"), 7)).toBe("7");
  });
});
