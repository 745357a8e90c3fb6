import { ApiError, address, csrfToken, loginNeeded } from './api.js';

/** Nothing is sent and nothing is answered for so long: the server is gone. Before an import, it may read a store of a million ids. */
const STALLED_MS = 10 * 60_000;

/**
 * Sends a file as it is, without reading it into memory, and tells how far it is.
 * @param {string} path below `/management`
 * @param {File} file
 * @param {{type: string, onSent: (bytes: number) => void, signal: AbortSignal}} options the signal ends it
 * @returns {Promise<any>} the JSON body of the answer
 * @throws {ApiError}
 */
export function upload(path, file, { type, onSent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let deadline;
    const moved = () => {
      clearTimeout(deadline);
      deadline = setTimeout(() => request.abort(), STALLED_MS);
    };
    const failed = (text) => () => reject(new ApiError(text, { status: 0 }));
    request.open('POST', address(path));
    for (const [name, value] of Object.entries(headersFor(type))) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => {
      moved();
      onSent(loaded);
    };
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status === 200 && answer) resolve(answer);
      else reject(refused(request.status, answer));
    };
    request.onerror = failed('The connection was lost');
    request.onabort = () => failed(signal.aborted ? 'Stopped' : 'The server has not moved for ten minutes')();
    request.onloadend = () => clearTimeout(deadline);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    moved();
    request.send(file);
  });
}

function headersFor(type) {
  const token = csrfToken();
  return {
    'Content-Type': type,
    Accept: 'application/json',
    'X-Requested-By': 'console',
    ...(token && { 'X-CSRF-Token': token }),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(status, answer) {
  if (status === 401) loginNeeded();
  const otherwise =
    { 401: 'Log in again', 403: 'Your role does not allow this' }[status] ?? `The server answered ${status}`;
  return new ApiError(answer?.Error ?? otherwise, { status, body: answer });
}
