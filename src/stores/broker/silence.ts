/** A peer that was silent for so many of its intervals is dead (OP-13: at most 2.5; ActiveMQ's first beat comes after 2). */
const DEAD_AFTER_INTERVALS = 2.4;
/** Looks per interval: the verdict comes at most this fraction of an interval late. */
const LOOKS_PER_INTERVAL = 40;

export interface SilenceOptions {
  /** How often the peer has agreed to send something, ms. */
  readonly intervalMs: number;
  /** When something was received last, as of performance.now(). Asked at every look. */
  lastReceivedAt(): number;
  /** The peer has been silent for too long. Called once. */
  dead(silentMs: number): void;
}

/**
 * Notices a peer that is gone without a word. A timer that fires late tells that it was our own event loop that stood still: what
 * the peer has sent meanwhile is then still to be read, so the verdict is put off by a look (OP-13).
 * @returns how to stop it
 */
export function watchSilence({ intervalMs, lastReceivedAt, dead }: SilenceOptions): () => void {
  const lookMs = intervalMs / LOOKS_PER_INTERVAL;
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const stalled = now - lookedAt > 3 * lookMs;
    lookedAt = now;
    const silentMs = now - lastReceivedAt();
    if (stalled || silentMs < DEAD_AFTER_INTERVALS * intervalMs) return;
    clearInterval(timer);
    dead(silentMs);
  }, lookMs);
  return () => clearInterval(timer);
}
