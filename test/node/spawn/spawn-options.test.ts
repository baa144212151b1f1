import { describe, expect, test } from "vitest";
import { parse, type Term } from "../../../etf/index.ts";
import { spawnWishes } from "../../../src/node/spawn/spawn-options.ts";

const read = (text: string) => spawnWishes(parse(text) as Term[]);

describe("options of a spawn request", () => {
  test.each([
    ["[]", false, false],
    ["[link]", true, false],
    ["[monitor, link, link]", true, true],
    ["[{monitor, []}]", false, true],
    ["[{monitor, [{alias, demonitor}, {tag, {any, term}}]}]", false, true],
    ["[{priority, max}, {fullsweep_after, 0}, {min_heap_size, 233}, {scheduler, 1}]", false, false],
    ["[{min_bin_vheap_size, 1}, {message_queue_data, on_heap}, {async_dist, true}]", false, false],
    ["[{max_heap_size, 0}, {max_heap_size, #{size => 1, kill => true}}]", false, false],
    ["[{max_heap_size, #{error_logger => false, include_shared_binaries => true}}]", false, false],
  ])("%s", (text, link, monitor) => {
    expect(read(text)).toEqual({ link, monitor });
  });

  test.each([
    "[foo]",
    "[{foo, 1}]",
    "[{toString, 1}]",
    "[{link, true}]",
    "[1]",
    '["link"]',
    "[{1, 1}]",
    "[{priority, 1}]",
    "[{priority, highest}]",
    "[{monitor, x}]",
    "[{monitor, [x]}]",
    "[{monitor, [{alias, x}]}]",
    "[{monitor, [{x, y}]}]",
    "[{fullsweep_after, -1}]",
    "[{fullsweep_after, 1, 2}]",
    "[{min_heap_size, 1.0}]",
    "[{message_queue_data, x}]",
    "[{max_heap_size, x}]",
    "[{max_heap_size, #{size => -1}}]",
    "[{max_heap_size, #{kill => 1}}]",
    "[{max_heap_size, #{x => true}}]",
    "[{async_dist, 1}]",
  ])("%s is badopt", (text) => {
    expect(read(text)).toBeUndefined();
  });
});
