import { waitFor } from '../support/wait-for.ts';
import { zip } from '../support/zip.ts';
import type { Served } from './served.ts';

/** What the happy case of an operation of the management API needs to be there already. */

export const ADMIN = { Authorization: 'Bearer admin-admin-admin-admin' };
/** The hook of `webHook()`. */
export const HOOK = 'ops';
/** Longer than a change of artifacts takes to be deployed, on a busy machine. */
const DEPLOYED_MS = 30_000;
const USER = { userId: 'lena', password: 'right', role: 'viewer' };
const CAR = zip({
  'artifacts.xml':
    '<artifacts><artifact name="Extra" version="1.0.0" type="carbon/application"><dependency artifact="Bonus" version="1.0.0" include="true" serverRole="EnterpriseIntegrator"/></artifact></artifacts>',
  'Bonus_1.0.0/artifact.xml':
    '<artifact name="Bonus" version="1.0.0" type="synapse/sequence" serverRole="EnterpriseIntegrator"><file>Bonus.xml</file></artifact>',
  'Bonus_1.0.0/Bonus.xml': '<sequence xmlns="http://ws.apache.org/ns/synapse" name="Bonus"><log/></sequence>',
});

/** Asks as an administrator. */
export function ask(served: Served, method: string, path: string, body?: unknown) {
  return served.ask(path, { method, headers: ADMIN, ...(body !== undefined && { body }) });
}

/** A message in the store `Memory`, and its id. */
export async function storedMessage(served: Served): Promise<string> {
  const target = { kind: 'store', name: 'Memory' };
  await ask(served, 'POST', '/management/test-message', { target, contentType: 'text/xml', body: '<a/>' });
  const { body } = await ask(served, 'GET', '/management/message-stores/Memory/messages');
  return body.list.at(-1).id;
}

/** Work on messages, and its id. */
export async function job(served: Served): Promise<string> {
  const actions = { action: 'delete', ids: [await storedMessage(served)] };
  await ask(served, 'POST', '/management/message-stores/Memory/messages/actions', actions);
  const { body } = await ask(served, 'GET', '/management/jobs');
  return body.list[0].id;
}

/** A message that was followed, and the id of its trace. */
export async function trace(served: Served): Promise<string> {
  await ask(served, 'PUT', '/management/tracing', { mode: 'on', bodies: true });
  try {
    const target = { kind: 'proxy', name: 'Orders' };
    await ask(served, 'POST', '/management/test-message', { target, contentType: 'text/xml', body: '<a/>' });
    return await waitFor(async () => (await ask(served, 'GET', '/management/traces')).body.list[0]?.id as string, {
      what: 'the message to have been followed',
    });
  } finally {
    await ask(served, 'PUT', '/management/tracing', { mode: 'off' });
  }
}

/** A form with an application, as browsers and the reference's clients send it. */
export async function applicationForm(): Promise<{ readonly body: Uint8Array; readonly type: string }> {
  const form = new FormData();
  form.append('file', new File([new Uint8Array(CAR)], 'Extra_1.0.0.car'));
  const written = new Response(form);
  return { body: await written.bytes(), type: written.headers.get('content-type') ?? '' };
}

/** A deployed application, and its name. */
export async function application(served: Served): Promise<string> {
  const { body, type } = await applicationForm();
  await served.ask('/management/applications', {
    method: 'POST',
    body,
    headers: { ...ADMIN, 'Content-Type': type },
  });
  await waitFor(async () => (await ask(served, 'GET', '/management/applications')).body.activeList.some(isExtra), {
    what: 'the application to be deployed',
    deadlineMs: DEPLOYED_MS,
  });
  return 'Extra';
}

function isExtra({ name }: { readonly name: string }): boolean {
  return name === 'Extra';
}

/** Somebody who may log in, and what to log in with. */
export async function user(served: Served): Promise<{ readonly user: string; readonly password: string }> {
  await ask(served, 'POST', '/management/users', USER);
  return { user: USER.userId, password: USER.password };
}

/** The header of Basic credentials of `user()`. */
export async function basic(served: Served): Promise<{ readonly Authorization: string }> {
  const { user: name, password } = await user(served);
  return { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** A session of the console, and its id. */
export async function session(served: Served): Promise<string> {
  await served.ask('/management/session', { method: 'POST', body: await user(served) });
  const { body } = await ask(served, 'GET', '/management/sessions');
  return body.list.find(({ kind }: { readonly kind: string }) => kind === 'session').id;
}

/** Configuration of a hook that calls there. */
export function webHook(port: number): string {
  return `[[alerts.webhook]]\nname = "${HOOK}"\nurl = "http://127.0.0.1:${port}/"\n`;
}
