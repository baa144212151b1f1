/** What docs/otp-releases.md says of a release is what a node of it says. */
import { expect, it } from "vitest";
import { startOtpNode } from "./index.ts";
import { releaseRows } from "./support/release-table.ts";
import { eachOtp } from "./support/vitest.ts";

eachOtp((otp) => {
  it("offers and demands what the table says", async () => {
    await using node = await startOtpNode({ otp });
    const flags = "{element(2, Flags), element(3, Flags)}";
    const said = await node.eval(`Flags = erts_internal:get_dflags(), ${flags}`);
    const row = releaseRows().find(({ release }) => String(release) === otp.release);
    expect(said).toBe(`{${row?.offers},${row?.demands}}`);
  });
});
