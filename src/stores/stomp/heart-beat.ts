/** A peer that was silent for so many of its intervals is dead (OP-13: at most 2.5; ActiveMQ's first beat comes after 2). */
const DEAD_AFTER_INTERVALS = 2.4;
/** Looks per interval: the verdict comes at most this fraction of an interval late. */
const LOOKS_PER_INTERVAL = 40;
/** We promise twice our interval and beat every half, so that a stall of our event loop is no broken promise. */
const PROMISED_INTERVALS = 2;
const BEATS_PER_INTERVAL = 2;

export interface HeartBeatOptions {
  /** Our interval, ms. */
  readonly intervalMs: number;
  /** The `heart-beat` header of CONNECTED. */
  readonly serverHeader: string | undefined;
  /** When something was received last, as of performance.now(). */
  lastReceivedAt(): number;
  /** Sends a beat, unless something else is being sent. */
  beat(): void;
  /** The peer has been silent for too long. Called once. */
  dead(silentMs: number): void;
}

/** The `heart-beat` header of CONNECT: what we send at least, and what we want. */
export function heartBeatHeader(intervalMs: number): string {
  return `${PROMISED_INTERVALS * intervalMs},${intervalMs}`;
}

/**
 * Keeps a STOMP session alive and notices when the peer is not. A timer that fires late tells that it was our own event loop that
 * stood still: what the peer has sent meanwhile is then still to be read, so the verdict is put off by a look (OP-13).
 * @returns how to stop it
 */
export function startHeartBeat(options: HeartBeatOptions): () => void {
  const { intervalMs } = options;
  const expectedMs = peerInterval(options.serverHeader, intervalMs);
  const lookMs = intervalMs / LOOKS_PER_INTERVAL;
  let lookedAt = performance.now();
  let beatAt = lookedAt;
  const timer = setInterval(() => {
    const now = performance.now();
    const stalled = now - lookedAt > 3 * lookMs;
    lookedAt = now;
    if (now - beatAt >= intervalMs / BEATS_PER_INTERVAL - lookMs) {
      beatAt = now;
      options.beat();
    }
    const silentMs = now - options.lastReceivedAt();
    if (expectedMs === undefined || stalled || silentMs < DEAD_AFTER_INTERVALS * expectedMs) return;
    clearInterval(timer);
    options.dead(silentMs);
  }, lookMs);
  return () => clearInterval(timer);
}

/** How often the peer has agreed to beat, ms; undefined when it does not. */
function peerInterval(header: string | undefined, wantedMs: number): number | undefined {
  const sends = Number(/^\s*(\d+)/.exec(header ?? '')?.[1] ?? 0);
  return sends === 0 ? undefined : Math.max(sends, wantedMs);
}
