import type { CommandDescription, CommandGroup } from '../command.ts';
import * as administering from './administering.ts';
import { ARTIFACT_COMMANDS, REGISTRY_COMMANDS } from './artifacts.ts';
import { DEAD_LETTER_LIST, DEAD_LETTER_REPLAY, DEAD_LETTER_SHOW } from './dead-letters.ts';
import * as looking from './looking.ts';
import * as server from './server.ts';
import * as steering from './steering.ts';

/** All commands: what can be run, help, completion and `docs/cli.md` follow from this table. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  {
    title: 'Running artifacts',
    commands: [
      server.START,
      server.RUN,
      server.CHECK,
      server.DEMO,
      server.INIT,
      server.DOCTOR,
      server.CONFIG,
      server.SCHEMA,
      server.CRON,
    ],
  },
  {
    title: 'Looking at a running server',
    commands: [
      looking.GET,
      looking.TOP,
      looking.HEALTH,
      looking.DEPLOYMENTS,
      looking.LOGS,
      looking.TRACE,
      looking.TRACING,
      looking.GRAPH,
      administering.AUDIT,
      administering.METRICS,
      administering.OPENAPI,
      looking.MESSAGESTORE_SHOW,
      looking.MESSAGEPROCESSOR_SHOW,
    ],
  },
  {
    title: 'Messages in stores',
    commands: [
      steering.STORE_BROWSE,
      steering.STORE_SHOW,
      steering.STORE_FAILURES,
      steering.STORE_HISTORY,
      steering.STORE_RESEND,
      steering.STORE_MOVE,
      steering.STORE_DELETE,
      steering.STORE_PURGE,
      steering.STORE_EXPORT,
      steering.STORE_IMPORT,
      DEAD_LETTER_LIST,
      DEAD_LETTER_SHOW,
      DEAD_LETTER_REPLAY,
      steering.SCHEDULE_CANCEL,
      steering.JOB_WAIT,
      steering.JOB_CANCEL,
    ],
  },
  {
    title: 'Steering',
    commands: [
      ...steering.PROCESSOR_COMMANDS,
      ...steering.SWITCH_COMMANDS,
      steering.ACTIVATE,
      steering.DEACTIVATE,
      steering.MESSAGEPROCESSOR_UPDATE,
      administering.SEND,
      administering.LOG_LEVEL,
      administering.WEB_HOOK_TEST,
      ...administering.SERVER_COMMANDS,
    ],
  },
  { title: 'Artifacts and registry of a running server', commands: [...ARTIFACT_COMMANDS, ...REGISTRY_COMMANDS] },
  {
    title: 'Credentials and shell',
    commands: [
      ...administering.USER_COMMANDS,
      looking.LOGIN,
      looking.LOGOUT,
      server.HASH_PASSWORD,
      server.COMPLETION,
      server.COMPLETE,
    ],
  },
];

export const COMMANDS: readonly CommandDescription[] = COMMAND_GROUPS.flatMap(({ commands }) => commands);
