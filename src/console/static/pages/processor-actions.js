import { change, segment } from '../api.js';
import { stateText } from '../components/state.js';
import { doing, tell } from '../components/toast.js';
import { shortId } from '../format.js';
import { refreshOverview } from '../live.js';

/**
 * Steers a message processor; what is told is the state that it has reached, not the wish (OP-60).
 * @param {string} name
 * @param {'activate'|'deactivate'|'pause'|'resume'|'step'} action
 */
export async function steer(name, action) {
  const answer = await doing(
    () => asked(name, action),
    (result) => told(name, action, result),
  );
  await refreshOverview();
  return answer;
}

async function asked(name, action) {
  try {
    return await change('POST', `message-processors/${segment(name)}/${action}`, {});
  } catch (error) {
    const status = { activate: 'active', deactivate: 'inactive' }[action];
    if (error.status !== 404 || !status) throw error;
    // The reference's way, for servers that have no other.
    return await change('POST', 'message-processors', { name, status });
  }
}

function told(name, action, { state, delivered, outcome, messageId, cause }) {
  if (action !== 'step') return `${name} is ${stateText(state).toLowerCase()}`;
  const result = delivered ?? outcome;
  if (result === 'none') return `${name}: there was no message to deliver`;
  const message = messageId ? ` ${shortId(messageId)}` : '';
  if (result === false || result === 'failed') tell(`${name}: the delivery failed${cause ? `: ${cause}` : ''}`, 'bad');
  return `${name} has tried one message${message}: ${result === true ? 'delivered' : (result ?? 'done')}`;
}
