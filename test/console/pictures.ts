import type { Page } from 'playwright-core';
import { comparePlace, messagePlace, rejected, tracesOf } from './pages.ts';
import type { ConsoleWorld } from './world.ts';

/** Of what the documentation shows pictures. */
export interface Picture {
  /** The files are `NAME-desktop-light.png`, …. */
  readonly name: string;
  readonly title: string;
  /** What one sees there, a sentence. */
  readonly text: string;
  /** At both widths in both themes; otherwise light at a desk, dark on a phone. */
  readonly everywhere?: boolean;
  /** In the world with users instead of the one with messages. */
  readonly withUsers?: boolean;
  place(world: ConsoleWorld): string | Promise<string>;
  /** Before the picture is taken. */
  act?(page: Page, world: ConsoleWorld): Promise<void>;
}

export const SHOTS = ['desktop-light', 'desktop-dark', 'phone-light', 'phone-dark'] as const;
export type Shot = (typeof SHOTS)[number];

/** Which pictures there are of something. */
export function shotsOf({ everywhere = false }: Picture): readonly Shot[] {
  return everywhere ? SHOTS : ['desktop-light', 'phone-dark'];
}

export const PICTURES: readonly Picture[] = [
  {
    name: 'stores',
    title: 'Stores',
    text: 'How many messages wait, for how long, what comes and goes, and who takes them.',
    everywhere: true,
    place: () => '#/stores',
  },
  {
    name: 'store',
    title: 'One store',
    text: 'Its depth and rates of the last hour.',
    place: () => '#/stores/Orders',
  },
  {
    name: 'message',
    title: 'A message',
    text: 'Why it was not delivered, its body (pretty, as it is, in hex), headers and properties; resend, move, delete.',
    everywhere: true,
    place: async (world) => messagePlace((await rejected(world))[0] ?? ''),
  },
  {
    name: 'compare',
    title: 'Two messages side by side',
    text: 'What differs in their facts, headers, properties and bodies.',
    place: async (world) => {
      const [left = '', right = ''] = await rejected(world);
      return comparePlace(left, right);
    },
    act: (page) => page.getByRole('checkbox', { name: 'Only differences' }).check(),
  },
  {
    name: 'import',
    title: 'Import',
    text: 'An exported file goes into a store; what the store has already can be left out, and it can be checked before.',
    place: () => '#/stores/Archive/messages',
    async act(page, world) {
      const exported = await fetch(world.runtime.management('/management/message-stores/RejectedOrders/export'));
      const buffer = Buffer.from(`${(await exported.text()).trim()}\n{"version": 1, "id": "cut off`);
      await page.getByRole('button', { name: 'Import' }).click();
      await page.getByLabel('File').setInputFiles({ name: 'RejectedOrders.ndjson', mimeType: '', buffer });
      await page.getByRole('button', { name: 'Check only' }).click();
      await page.getByRole('dialog').getByRole('alert').waitFor();
    },
  },
  {
    name: 'processors',
    title: 'Processors',
    text: 'Each with its state, the reason of it, what it does next, and how it fares.',
    everywhere: true,
    place: () => '#/processors',
  },
  {
    name: 'graph',
    title: 'The mediation graph',
    text: 'What is deployed and where messages go, with live counts; a click shows the lines it is written in.',
    everywhere: true,
    place: () => '#/graph?node=store:Orders',
  },
  {
    name: 'trace',
    title: 'A trace',
    text: 'One message through mediators, the store and the attempts to deliver it, with what each step changed.',
    everywhere: true,
    place: async (world) => `#/traces/${(await tracesOf(world, 'LargeOrders')).at(-1) ?? ''}`,
  },
  {
    name: 'problem',
    title: 'What is wrong with an artifact',
    text: 'The lines around the error, and the name that was probably meant.',
    place: () => '#/artifacts',
  },
  {
    name: 'changes',
    title: 'What changed in an artifact',
    text: 'Every version that was deployed, the difference of two of them, and the way back.',
    place: () => '#/artifacts/history?file=Enrich.xml',
  },
  {
    name: 'jobs',
    title: 'Jobs',
    text: 'Work on many messages: how far it is, what failed, what is planned.',
    place: () => '#/jobs',
  },
  {
    name: 'users',
    title: 'Users',
    text: 'Who may look and who may steer, who is logged in, and which tokens are valid.',
    withUsers: true,
    place: () => '#/users',
  },
  // The last one: its line of requests has begun with the first one.
  {
    name: 'overview',
    title: 'Overview',
    text: 'Is all well, and if not, where to look.',
    everywhere: true,
    place: () => '#/',
  },
];
