import { watchSilence } from '../broker/silence.ts';

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
  /** Sends a beat. Called every half of our interval, whatever else is sent. */
  beat(): void;
  /** The peer has been silent for too long. Called once. */
  dead(silentMs: number): void;
}

/** The `heart-beat` header of CONNECT: what we send at least, and what we want. */
export function heartBeatHeader(intervalMs: number): string {
  return `${PROMISED_INTERVALS * intervalMs},${intervalMs}`;
}

/**
 * Keeps a STOMP session alive and notices when the peer is not.
 * @returns how to stop it
 */
export function startHeartBeat(options: HeartBeatOptions): () => void {
  const { intervalMs, serverHeader, lastReceivedAt, beat, dead } = options;
  const beating = setInterval(beat, intervalMs / BEATS_PER_INTERVAL);
  const expectedMs = peerInterval(serverHeader, intervalMs);
  const stop = () => {
    clearInterval(beating);
    stopWatching?.();
  };
  const onDead = (silentMs: number) => {
    stop();
    dead(silentMs);
  };
  const stopWatching =
    expectedMs === undefined ? undefined : watchSilence({ intervalMs: expectedMs, lastReceivedAt, dead: onDead });
  return stop;
}

/** How often the peer has agreed to beat, ms; undefined when it does not. */
function peerInterval(header: string | undefined, wantedMs: number): number | undefined {
  const sends = Number(/^\s*(\d+)/.exec(header ?? '')?.[1] ?? 0);
  return sends === 0 ? undefined : Math.max(sends, wantedMs);
}
