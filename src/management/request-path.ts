import { ManagementError } from './management-error.ts';

/** Of a path as it is sent, characters: longer than any that a resource has. */
const MAX_PATH_CHARS = 2_000;

/**
 * The path of a request, looked at before anything else is done with it.
 * @param request Koa's context; its `path` throws for a target that is no URL, as `http://[::1/x`
 * @throws ManagementError 400, 414
 */
export function pathOf(request: { readonly path: string }): string {
  const path = readPath(request);
  if (path.length > MAX_PATH_CHARS)
    throw new ManagementError(414, `The path is longer than ${MAX_PATH_CHARS} characters`);
  return path;
}

function readPath(request: { readonly path: string }): string {
  try {
    return request.path;
  } catch (cause) {
    throw new ManagementError(400, 'The target of the request is no URL', {}, { cause });
  }
}

/** From the end, in one pass: an expression would begin anew at every slash. */
export function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end -= 1;
  return path.slice(0, end) || '/';
}
