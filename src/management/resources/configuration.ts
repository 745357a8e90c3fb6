import { listing, listOf } from '../list.ts';
import { resource } from '../resource.ts';
import { object, TEXT } from '../schemas.ts';

const ROW = object(
  {
    key: TEXT,
    value: {},
    origin: { enum: ['default', 'file', 'environment', 'flag'] },
    description: TEXT,
    type: TEXT,
    default: { type: ['string', 'integer', 'boolean', 'null'] },
  },
  { where: TEXT },
);

/** `GET /management/configuration`: the settings that are in effect, with where each came from; secrets are masked. */
export const readConfigurationSettings = resource({
  method: 'GET',
  path: '/management/configuration',
  role: 'viewer',
  summary: 'Settings in effect and where they come from',
  tag: 'configuration',
  answers: { 200: listOf(ROW) },
  answer: (_request, { options }) => ({ status: 200, body: listing(options.effective) }),
});
