/** Everything that is fuzzed: one area for each part of the package. */
import type { Area } from "./area.ts";
import { control } from "./areas/control.ts";
import { epmdClient, epmdServer } from "./areas/epmd.ts";
import { equality } from "./areas/equality.ts";
import { fragments } from "./areas/fragments.ts";
import { frames } from "./areas/frames.ts";
import { acceptor, initiator } from "./areas/handshake.ts";
import { header } from "./areas/header.ts";
import { services } from "./areas/services.ts";
import { inflate, terms, text } from "./areas/terms.ts";

export { Choices } from "./choices.ts";

export const areas: readonly Area[] = [
  services,
  terms,
  equality,
  text,
  inflate,
  frames,
  header,
  fragments,
  control,
  initiator,
  acceptor,
  epmdClient,
  epmdServer,
];
