import { styleText } from 'node:util';
import { type CommandIo, environmentOf, isTerminal } from '../io.ts';

/** What is written to: how wide it is, and whether it shows colours. */
export interface Terminal {
  /** Undefined: as wide as one likes, since no person reads it directly. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly colour: boolean;
}

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'gray' | 'bold';

const NARROWEST = 40;

export function terminalOf(io: CommandIo, stream: NodeJS.WritableStream = io.stdout): Terminal {
  if (!isTerminal(stream)) return { columns: undefined, rows: undefined, colour: false };
  const { columns, rows } = stream as NodeJS.WriteStream;
  const environment = environmentOf(io);
  const colour = !environment.NO_COLOR && environment.TERM !== 'dumb';
  return { columns: Math.max(columns || 80, NARROWEST), rows: rows || 24, colour };
}

export function coloured(text: string, colour: Colour | undefined, terminal: Terminal): string {
  return colour && terminal.colour && text !== '' ? styleText(colour, text, { validateStream: false }) : text;
}

/** The colour of a state of whatever: what works, what waits, what does not. */
export function colourOfState(state: string): Colour | undefined {
  if (/^(?:ready|active|deployed|done|ok|delivered|stored|true|enabled|running)$/i.test(state)) return 'green';
  if (/^(?:down|faulty|failed|fault|error|fatal|deactivated|off|refused|false)$/i.test(state)) return 'red';
  if (
    /^(?:connecting|degraded|paused|waiting_store|circuit_open|timeout|suspended|inactive|warn|cancelled|dropped)$/i.test(
      state,
    )
  )
    return 'yellow';
  return undefined;
}

/**
 * What somebody else has written, as it can be shown on a terminal: control characters, with which it could change what stands there,
 * become visible. @param keep `\n` and `\t` stay
 */
export function printable(text: string, keep: 'lines' | 'nothing' = 'nothing'): string {
  return text.replaceAll(CONTROL, (character) => {
    if (keep === 'lines' && (character === '\n' || character === '\t')) return character;
    if (keep === 'lines' && character === '\r') return '';
    if (character === '\n' || character === '\t' || character === '\r') return ' ';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
