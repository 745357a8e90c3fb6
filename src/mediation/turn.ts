import { setImmediate as nextTurn } from 'node:timers/promises';

/** What never waits must not keep everybody else waiting: after so many ms the event loop gets a turn. */
const TURN_MS = 10;

/** When the first of the loops that ran in this turn of the event loop asked; undefined before that. */
let beganAt: number | undefined;

/**
 * Lets others have a turn when loops over the parts of messages, of whatever message, have kept the event loop for {@link TURN_MS}: a loop
 * that only watched itself would not notice that it is one of thousands.
 */
export async function breathe(): Promise<void> {
  if (beganAt === undefined) {
    beganAt = performance.now();
    setImmediate(() => {
      beganAt = undefined;
    });
  } else if (performance.now() - beganAt > TURN_MS) await nextTurn();
}
