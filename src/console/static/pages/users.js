import { change, segment } from '../api.js';
import { ask } from '../components/dialog.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { Tag } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago, Clock } from '../components/time.js';
import { doing, tell } from '../components/toast.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';

const ROLES = { viewer: 'looks', operator: 'looks and steers', admin: 'looks, steers, and looks after users' };
const EXAMPLE = `[[management.users]]
name = "anna"
role = "admin"
# mini-synapse hash-password makes it
password_hash = "…"`;

/** Who may do what; for admins (OP-80). */
export default function Users() {
  const session = useResource('session');
  const { role, login, user } = session.data ?? {};
  return html`<${Page} title="Users" lead="Who may look and steer, who is logged in, and which tokens are valid">
    <${Loading} of=${session} what="who you are">
      ${() => (role === 'admin' ? html`<${Admin} own=${user} />` : html`<${Card}>${login ? html`<${Empty} icon="client" title="For admins only"><p>You are logged in as ${user}, who ${ROLES[role]}.</p><//>` : html`<${Empty} icon="client" title="Nobody needs to log in"><p>Without users, whoever reaches this port on this machine looks and steers. Begin with an admin in <code>deployment.toml</code>; the others are made here.</p><pre class="example" tabindex="0">${EXAMPLE}</pre><//>`}<//>`)}
    <//>
  <//>`;
}

function Admin({ own }) {
  const users = useResource('users?details=true', { events: ['audit'] });
  const issued = useResource('sessions', { events: ['audit'], every: 10_000 });
  const after = async (result, text) => {
    if (!result) return;
    tell(text);
    await Promise.all([users.reload(), issued.reload()]);
  };
  const revoke = async ({ id, kind, user }) => {
    if (await doing(() => change('DELETE', `sessions/${segment(id)}`), `The ${kind} of ${user} has ended`))
      await issued.reload();
  };
  const create = async () => {
    const made = await ask({
      title: 'New user',
      action: 'Make the user',
      text: '',
      initial: { userId: '', password: '', role: 'viewer' },
      fields: (values, set) => html`
        <label class="field"><span>Name</span><input required maxlength="100" autocomplete="off" value=${values.userId} onInput=${(event) => set({ userId: event.target.value })} /></label>
        <${Password} value=${values.password} set=${set} /><${RoleField} value=${values.role} set=${set} />`,
      act: (body) => change('POST', 'users', body),
    });
    await after(made, `${made?.userId} can log in`);
  };
  return html`<${Card} title="Users" flush actions=${html`<button type="button" class="small primary" onClick=${create}><${Icon} name="plus" size=${15} />New user</button>`}>
      <${Loading} of=${users} what="the users">
        ${({ list }) => html`<${Table} caption="Users" rows=${list} columns=${userColumns(own, after)} keyOf=${({ userId }) => userId} />`}
      <//>
    <//>
    <${Card} title="Sessions and tokens" flush>
      <${Loading} of=${issued} what="the sessions">
        ${({ list }) => (list.length ? html`<${Table} caption="Sessions and tokens" rows=${list} columns=${issuedColumns(revoke)} keyOf=${({ id, user, kind }) => id ?? `${kind} ${user}`} />` : html`<${Empty} icon="client" title="Nobody is logged in" />`)}
      <//>
    <//>`;
}

function Password({ value, set }) {
  return html`<label class="field"><span>Password</span><input type="password" required maxlength="1024" autocomplete="new-password" value=${value} onInput=${(event) => set({ password: event.target.value })} /></label>`;
}

function RoleField({ value, set }) {
  return html`<label class="field"><span>Role</span><select value=${value} onChange=${(event) => set({ role: event.target.value })}>${Object.entries(ROLES).map(([role, text]) => html`<option key=${role} value=${role}>${role}: ${text}</option>`)}</select></label>`;
}

/** @returns {import('../components/table.js').Column[]} */
function userColumns(own, after) {
  const path = (name) => `users/${segment(name)}`;
  const password = async (name) => {
    const changed = await ask({
      title: `New password for ${name}`,
      action: 'Change the password',
      text: html`<p>${name === own ? 'You have to log in again.' : `Whoever is logged in as ${name} has to do so again.`}</p>`,
      initial: { password: '' },
      fields: (values, set) => html`<${Password} value=${values.password} set=${set} />`,
      act: (values) => change('PATCH', path(name), { newPassword: values.password }),
    });
    await after(changed, `${name} has another password`);
  };
  const role = async (name, now) => {
    const changed = await ask({
      title: `Role of ${name}`,
      action: 'Change the role',
      text: '',
      initial: { role: now },
      fields: (values, set) => html`<${RoleField} value=${values.role} set=${set} />`,
      act: (values) => change('PATCH', path(name), values),
    });
    await after(changed, `${name} has another role`);
  };
  const remove = async (name) => {
    const gone = await ask({
      title: `Remove ${name}?`,
      action: 'Remove',
      danger: true,
      text: html`<p>${name} is logged out and cannot log in any more.</p>`,
      act: () => change('DELETE', path(name)),
    });
    await after(gone, `${name} is removed`);
  };
  return [
    {
      title: 'User',
      cell: ({ userId }) => html`<span class="name">${userId}</span> ${userId === own && html`<${Tag}>you<//>`}`,
    },
    {
      title: 'Role',
      cell: ({ roles: [name] }) => html`${name}<span class="sub">${ROLES[name]}</span>`,
    },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: ({ userId, roles: [now], configured }) =>
        configured
          ? html`<span class="muted">in deployment.toml</span>`
          : html`<div class="row-actions">
              <button type="button" class="small" onClick=${() => password(userId)}>Password</button>
              <button type="button" class="small" onClick=${() => role(userId, now)}>Role</button>
              <button type="button" class="small" onClick=${() => remove(userId)}>Remove</button>
            </div>`,
    },
  ];
}

/** @returns {import('../components/table.js').Column[]} */
function issuedColumns(revoke) {
  return [
    {
      title: 'Of',
      cell: ({ user, own, role }) =>
        html`<span class="name">${user}</span> ${own && html`<${Tag}>this one<//>`}<span class="sub">${role}</span>`,
    },
    { title: 'What', cell: ({ kind }) => kind },
    {
      title: 'Since',
      class: 'fit hide-s',
      cell: ({ issuedAt }) => (issuedAt ? html`<${Ago} at=${issuedAt} />` : '–'),
    },
    {
      title: 'Until',
      class: 'fit',
      cell: ({ expiresAt }) => (expiresAt ? html`<${Clock} at=${expiresAt} />` : 'for good'),
    },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: (one) =>
        one.id
          ? html`<button type="button" class="small" onClick=${() => revoke(one)}>${one.kind === 'token' ? 'Revoke' : 'End'}</button>`
          : html`<span class="muted">in deployment.toml</span>`,
    },
  ];
}
