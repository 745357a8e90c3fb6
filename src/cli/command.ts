import type { CommandIo } from './io.ts';

/** Runs one command; the exit code. */
export type Command = (args: string[], io: CommandIo) => Promise<number>;

/** One flag of a command, as `parseArgs` takes it, with what help, completion and the documentation say. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value, for example `FILE`. */
  readonly value?: string;
  /** The values that there are. */
  readonly words?: readonly string[];
  /** Its values are names that the server knows. */
  readonly names?: NameKind;
  readonly description: string;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** What can be completed by asking the server. */
export type NameKind =
  | 'message-stores'
  | 'message-processors'
  | 'proxy-services'
  | 'endpoints'
  | 'sequences'
  | 'tasks'
  | 'inbound-endpoints'
  | 'connectors'
  | 'artifacts'
  | 'users'
  | 'jobs'
  | 'log-files'
  | 'loggers'
  | 'scheduled-resends'
  | 'sessions'
  | 'web-hooks';

/** What may stand at one place behind the command. */
export interface ArgumentCompletion {
  readonly words?: readonly string[];
  readonly names?: NameKind;
  readonly files?: boolean;
}

/** One command: help, completion, `docs/cli.md` and what is run follow from it. */
export interface CommandDescription {
  /** One or more words, for example `store browse`. */
  readonly name: string;
  /** What follows it, for example `NAME [ID...]`. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** Further lines. */
  readonly details?: string;
  readonly options: CommandOptions;
  readonly arguments?: readonly ArgumentCompletion[];
  readonly examples?: readonly string[];
  /** Another spelling of a command, or nothing for people: help does not list it. */
  readonly hidden?: boolean;
}

/** Commands that belong together in help and documentation. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandDescription[];
}
