/** The type checker, kept in memory: does a mutated file still compile? */
import { dirname, join } from "node:path";
import ts from "typescript";

export class Types {
  #root;
  #versions = new Map();
  #mutated = new Map();
  #service;

  /** @param {string} root where tsconfig.json is */
  constructor(root) {
    this.#root = root;
    const path = join(root, "tsconfig.json");
    const config = ts.readConfigFile(path, ts.sys.readFile);
    const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, dirname(path));
    const files = parsed.fileNames.filter((name) => !/\.(test|interop)\.ts$/.test(name));
    const snapshots = new Map();
    const documents = ts.createDocumentRegistry();
    this.#service = ts.createLanguageService(
      {
        getCompilationSettings: () => parsed.options,
        getScriptFileNames: () => files,
        getScriptVersion: (name) => String(this.#versions.get(name) ?? 0),
        getScriptSnapshot: (name) => {
          const mutated = this.#mutated.get(name);
          if (mutated !== undefined) return ts.ScriptSnapshot.fromString(mutated);
          if (!snapshots.has(name)) {
            const text = ts.sys.readFile(name);
            snapshots.set(
              name,
              text === undefined ? undefined : ts.ScriptSnapshot.fromString(text),
            );
          }
          return snapshots.get(name);
        },
        getCurrentDirectory: () => root,
        getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
        fileExists: ts.sys.fileExists,
        readFile: ts.sys.readFile,
        readDirectory: ts.sys.readDirectory,
        directoryExists: ts.sys.directoryExists,
        getDirectories: ts.sys.getDirectories,
      },
      documents,
    );
  }

  /** Whether the checker has something to say about the file when it has this text. */
  refuses(file, text) {
    const name = join(this.#root, file);
    this.#set(name, text);
    try {
      const syntactic = this.#service.getSyntacticDiagnostics(name);
      return syntactic.length > 0 || this.#service.getSemanticDiagnostics(name).length > 0;
    } finally {
      this.#set(name, undefined);
    }
  }

  #set(name, text) {
    if (text === undefined) this.#mutated.delete(name);
    else this.#mutated.set(name, text);
    this.#versions.set(name, (this.#versions.get(name) ?? 0) + 1);
  }
}
