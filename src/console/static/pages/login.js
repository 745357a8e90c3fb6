import { useState } from 'preact/hooks';
import { change } from '../api.js';
import { useTitle } from '../hooks.js';
import { html } from '../html.js';

/** Asks for a user where the server has users. */
export function Login({ onDone }) {
  useTitle('Log in');
  const [error, setError] = useState(undefined);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    try {
      await change('POST', 'session', { user: form.get('user'), password: form.get('password') });
      await onDone();
    } catch (failure) {
      setError(failure.status === 429 ? 'Too many attempts: wait a minute' : failure.message);
      setBusy(false);
    }
  };
  return html`<main class="login">
    <form onSubmit=${submit} class="card">
      <img src="./favicon.svg" alt="" width="44" height="44" />
      <h1>mini-synapse</h1>
      <p class="lead">Log in to see and steer this server.</p>
      <label class="field"><span>User</span><input name="user" autocomplete="username" required autofocus /></label>
      <label class="field"><span>Password</span><input name="password" type="password" autocomplete="current-password" required /></label>
      ${error && html`<p class="notice bad" role="alert">${error}</p>`}
      <button class="primary" disabled=${busy}>${busy ? 'Logging in …' : 'Log in'}</button>
    </form>
  </main>`;
}
