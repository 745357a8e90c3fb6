import { jsonBody } from '../bodies.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, object, TEXT } from '../schemas.ts';

/** The only one that the reference has. */
const CORRELATION = 'correlation';

/** `GET /management/configs?configName=correlation` (spec proxies 8.2): the reference's correlation log is not written here. */
export const readConfigs = resource({
  method: 'GET',
  path: '/management/configs',
  role: 'viewer',
  summary: "The reference's run-time settings",
  tag: 'configs',
  query: { configName: { type: 'string', required: true } },
  answers: { 200: object({ name: TEXT, configs: object({ enabled: BOOLEAN }) }), 404: { type: 'object' } },
  answer({ query: { configName } }) {
    if (configName !== CORRELATION)
      throw notFound(`Specified config ('${configName}') not found`, configName, [CORRELATION]);
    return { status: 200, body: { name: CORRELATION, configs: { enabled: false } } };
  },
});

/** `PUT /management/configs`: switching it off is fine; instead of switching it on, messages are traced. */
export const changeConfigs = resource({
  method: 'PUT',
  path: '/management/configs',
  role: 'operator',
  summary: "Changes the reference's run-time settings",
  tag: 'configs',
  body: jsonBody<{ name: string; configs: { enabled: boolean } }>(
    object({ name: TEXT, configs: object({ enabled: BOOLEAN }) }),
  ),
  answers: { 200: object({ message: TEXT }), 404: { type: 'object' }, 409: { type: 'object' } },
  answer({ body: { name, configs } }) {
    if (name !== CORRELATION) throw notFound(`Specified config ('${name}') not found`, name, [CORRELATION]);
    if (configs.enabled)
      throw new ManagementError(409, 'Correlation logs are not written here; PUT /management/tracing follows messages');
    return { status: 200, body: { message: 'Successfully updated correlation' } };
  },
});

/** `POST /management/external-vaults/{vault}`: secrets come from files and the environment, so there is no vault to log in to. */
export const changeVault = resource({
  method: 'POST',
  path: '/management/external-vaults/{vault}',
  role: 'admin',
  summary: "The reference's HashiCorp vault; there is none here",
  tag: 'configs',
  body: jsonBody<{ secretId: string }>(object({ secretId: TEXT })),
  answers: { 200: object({ message: TEXT }), 404: { type: 'object' } },
  answer({ parameters: { vault } }) {
    throw notFound(`There is no external vault '${vault}': secrets come from files and the environment`, vault, []);
  },
});
