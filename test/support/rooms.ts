/** Who may import whom: reads the table of CONTRIBUTING.md, and compares files with it. */
import { dirname, join } from "node:path";
import ts from "typescript";

/** A row of the table: files that belong together. */
export interface Room {
  /** Folders (with the folders in them) and single files. */
  readonly paths: readonly string[];
  /** Folders and files of the rows above that its files may import. */
  readonly imports: readonly string[];
  /** Packages, and modules of Node.js. */
  readonly packages: readonly string[];
}

/** The codec's public names, which every row may import. */
const CODEC = "etf/index.ts";
const HEADING = "| belongs together |";

/** The table's rows. @throws Error if the text has no table of rooms */
export function readRooms(markdown: string): Room[] {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => line.startsWith(HEADING));
  if (start === -1) throw new Error(`No table starts with "${HEADING}".`);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end).map((row) => {
    const [, paths = "", imports = "", packages = ""] = row.split("|").map(codes);
    return { paths, imports, packages } as Room;
  });
}

/** The code spans of a cell. */
function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** Of the paths, the one that names the file or its innermost folder. */
function innermost(paths: Iterable<string>, file: string): string | undefined {
  const holding = [...paths].filter((path) => file === path || file.startsWith(`${path}/`));
  return holding.sort((a, b) => b.length - a.length)[0];
}

/** What is wrong with the table itself: a row may name only paths of the rows above it. */
export function misplaced(rooms: readonly Room[]): string[] {
  const above: string[] = [];
  const found: string[] = [];
  for (const { paths, imports } of rooms) {
    for (const path of imports) {
      if (innermost(above, path) === undefined)
        found.push(`${paths[0]}: ${path} is not in a row above`);
    }
    above.push(...paths);
  }
  return found;
}

/**
 * The imports of a file that its row does not allow, type imports included.
 * @param file path from the project's root, with slashes
 */
export function forbidden(rooms: readonly Room[], file: string, text: string): string[] {
  const all = rooms.flatMap(({ paths }) => paths);
  const place = innermost(all, file);
  if (place === undefined) return [`${file} is in no row`];
  const room = rooms.find(({ paths }) => paths.includes(place))!;
  const imported = ts.preProcessFile(text, true, true).importedFiles;
  return imported.flatMap(({ fileName }) => {
    if (!fileName.startsWith(".")) {
      return room.packages.includes(fileName) ? [] : [`${file} imports ${fileName}`];
    }
    const target = join(dirname(file), fileName);
    const at = innermost(all, target);
    const allowed =
      (at !== undefined && room.paths.includes(at)) ||
      [CODEC, ...room.imports].some((path) => path === target || path === at);
    return allowed ? [] : [`${file} imports ${target}`];
  });
}
