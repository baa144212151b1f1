/** A plugin of TypeDoc: the pages of the site are called what their first heading says. */
import { Converter } from "typedoc";

/** Called by TypeDoc. */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const [first] = page.content;
    const heading = /^# (.+)\n+/.exec(first?.text.trimStart() ?? "");
    if (heading !== null) page.name = heading[1].replaceAll("`", "");
  });
}
