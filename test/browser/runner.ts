/**
 * As much of vitest as test/etf/portable.test.ts uses, in a page: `describe`, `test` and vitest's own
 * `expect`. The results become the page's text, which `main.mjs` reads.
 */
import { JestAsymmetricMatchers, JestChaiExpect } from "@vitest/expect";
import * as chai from "chai";

chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  {
    unreachable(message?: string): never {
      throw new Error(`expected not to be reached: ${message ?? ""}`);
    },
  },
);

// The few names of a page that are used; the types of all would be everybody's.
declare const document: { body: { textContent: string } };
declare const navigator: { userAgent: string };
declare function addEventListener(name: "load", listener: () => unknown): void;

type Body = (...values: never[]) => unknown;

const queue: { name: string; run: () => unknown }[] = [];
let prefix = "";

export const test = (name: string, run: () => unknown): void => {
  queue.push({ name: prefix + name, run });
};

export const describe = Object.assign(
  (name: string, body: () => void): void => {
    const outer = prefix;
    prefix = `${outer}${name} > `;
    body();
    prefix = outer;
  },
  {
    each: (values: readonly unknown[]) => (name: string, body: Body) => {
      for (const value of values) describe(name, () => body(value as never));
    },
  },
);

addEventListener("load", async () => {
  const lines: string[] = [`agent ${navigator.userAgent}`, `buffer ${"Buffer" in globalThis}`];
  for (const { name, run } of queue) {
    try {
      await run();
      lines.push(`ok ${name}`);
    } catch (error) {
      lines.push(`failed ${name}: ${(error as Error).stack ?? error}`);
    }
  }
  document.body.textContent = `${lines.join("\n")}\ndone ${queue.length}`;
});
