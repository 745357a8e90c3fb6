import type { Contestant, Running } from './contestant.ts';

/** A program that several rows use, started for the first of them. */
export interface Shared<Program> {
  /** A contestant that is this program, loaded in its own way. It is closed by {@link close}, not by its row. */
  contestant(name: string, load: (program: Program) => Omit<Running, 'close' | 'warm'>): Contestant;
  /** Ends it, if it was started. */
  close(): Promise<void>;
}

/**
 * Saves the rows of one program but for their load its start and its warm-up each. A start that fails is tried again by the next row.
 *
 *   NONE ──first row starts──► STARTED, cold ──its row ends──► STARTED, warm ──close(), or a row failed──► NONE
 */
export function shared<Program extends { close(): Promise<void> }>(start: () => Promise<Program>): Shared<Program> {
  let started: Promise<Program> | undefined;
  let warm = false;
  const program = () => {
    started ??= start().catch((error: unknown) => {
      started = undefined;
      throw error;
    });
    return started;
  };
  const close = async () => {
    const ending = started;
    started = undefined;
    warm = false;
    await (await ending)?.close();
  };
  return {
    contestant: (name, load) => ({
      name,
      async start() {
        const running = load(await program());
        return {
          ...running,
          warm,
          // A row that failed may have left it in any state.
          close: async (failed) => {
            if (failed) await close();
            else warm = true;
          },
        };
      },
    }),
    close,
  };
}
