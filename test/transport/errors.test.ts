import { describe, expect, test } from "vitest";
import { connectError, listenError, socketError } from "../../src/transport/errors.ts";

const failure = (code: string | undefined, message = "as the platform says it") =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe("connecting", () => {
  test.each([
    ["ECONNREFUSED", "TRANSPORT_REFUSED", "far.example:4369 refused"],
    ["ENOTFOUND", "TRANSPORT_HOST_UNKNOWN", '"far.example" cannot be resolved (ENOTFOUND)'],
    ["EAI_AGAIN", "TRANSPORT_HOST_UNKNOWN", "EAI_AGAIN"],
    ["EAI_NODATA", "TRANSPORT_HOST_UNKNOWN", "EAI_NODATA"],
    ["EAI_NONAME", "TRANSPORT_HOST_UNKNOWN", "EAI_NONAME"],
    ["EHOSTUNREACH", "TRANSPORT_UNREACHABLE", "far.example:4369 (EHOSTUNREACH)"],
    ["ENETUNREACH", "TRANSPORT_UNREACHABLE", "ENETUNREACH"],
    ["EHOSTDOWN", "TRANSPORT_UNREACHABLE", "EHOSTDOWN"],
    ["ENETDOWN", "TRANSPORT_UNREACHABLE", "ENETDOWN"],
    ["EADDRNOTAVAIL", "TRANSPORT_UNREACHABLE", "EADDRNOTAVAIL"],
    ["ETIMEDOUT", "TRANSPORT_TIMEOUT", "far.example:4369 did not answer"],
    ["EMFILE", "TRANSPORT_FAILED", "as the platform says it"],
    [undefined, "TRANSPORT_FAILED", "as the platform says it"],
  ])("%s is %s and says what happened", (platform, code, text) => {
    const cause = failure(platform);
    const error = connectError(cause, "far.example", 4369);
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toContain(text);
  });

  test.each([
    [["ENETUNREACH", "ECONNREFUSED", "ETIMEDOUT"], "TRANSPORT_REFUSED"],
    [["ECONNREFUSED"], "TRANSPORT_REFUSED"],
    [["ENETUNREACH", "ETIMEDOUT"], "TRANSPORT_TIMEOUT"],
    [["ETIMEDOUT", "ENETUNREACH"], "TRANSPORT_UNREACHABLE"],
    [[], "TRANSPORT_FAILED"],
  ])("to several addresses with %j is %s: a refusal, or else the last", (platforms, code) => {
    const all = new AggregateError(platforms.map((platform) => failure(platform)));
    expect(connectError(Object.assign(all, { code: "EMFILE" }), "far", 1).code).toBe(code);
  });
});

describe("listening", () => {
  test.each([
    ["EADDRINUSE", "TRANSPORT_ADDRESS_IN_USE", "port 80 of here"],
    ["EADDRNOTAVAIL", "TRANSPORT_ADDRESS_UNAVAILABLE", "here: this machine has no such address"],
    ["ENOTFOUND", "TRANSPORT_ADDRESS_UNAVAILABLE", "(ENOTFOUND)"],
    ["EAI_AGAIN", "TRANSPORT_ADDRESS_UNAVAILABLE", "(EAI_AGAIN)"],
    ["EINVAL", "TRANSPORT_ADDRESS_UNAVAILABLE", "(EINVAL)"],
    ["EACCES", "TRANSPORT_ADDRESS_UNAVAILABLE", "port 80 of here: not permitted"],
    ["EMFILE", "TRANSPORT_FAILED", "port 80 of here: as the platform says it"],
  ])("%s is %s and says what happened", (platform, code, text) => {
    const cause = failure(platform);
    const error = listenError(cause, "here", 80, 80);
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toContain(text);
  });

  test("names the ports tried, and all interfaces where no host was given", () => {
    const { message } = listenError(failure("EADDRINUSE"), undefined, 80, 81);
    expect(message).toContain("ports 80 to 81 of all interfaces");
  });
});

describe("a broken stream", () => {
  const text = (platform: string | undefined) =>
    socketError(failure(platform), "192.0.2.7:5000").message;

  test("says whose it was, and what the platform says", () => {
    const cause = failure("EMFILE");
    expect(socketError(cause, "192.0.2.7:5000")).toMatchObject({ code: "TRANSPORT_FAILED", cause });
    expect(text("EMFILE")).toContain("192.0.2.7:5000 broke (EMFILE): as the platform says it");
    expect(text(undefined)).toContain("(unknown): as the platform says it");
  });

  test.each(["ECONNRESET", "EPIPE"])("with %s was closed by the peer", (platform) => {
    expect(text(platform)).toContain(`(${platform}): the peer closed it`);
  });
});
