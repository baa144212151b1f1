/**
 * Waits for SIGINT or SIGTERM, or until `over`, keeping the program alive; a second signal ends
 * the program at once.
 */
export function untilInterrupted(over?: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let interrupted = false;
    // The wait itself keeps the program alive.
    const alive = setInterval(() => {}, 2 ** 30);
    const end = (): void => {
      clearInterval(alive);
      resolve();
    };
    void over?.then(end);
    const onSignal = (signal: NodeJS.Signals): void => {
      if (interrupted) process.exit(signal === "SIGINT" ? 130 : 143);
      interrupted = true;
      end();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
