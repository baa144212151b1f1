/** A part of the package that the fuzzing covers. */
import type { Choices } from "./choices.ts";

export interface Area {
  readonly name: string;
  /** How many of a thousand inputs of a run over everything go here: about what its share of the time allows. */
  readonly share: number;
  /**
   * Milliseconds, and MiB of heap and buffers, that an input of this area may take whatever its
   * size; each kilobyte may take a thirtieth of both besides.
   */
  readonly allowance?: { readonly ms: number; readonly mebibytes: number };
  /** Does with an input what the area does; throws what does not hold. */
  run(choices: Choices): void | Promise<void>;
  /** Forgets what earlier inputs left behind. */
  reset?(): void | Promise<void>;
}
