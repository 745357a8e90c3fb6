import { resource } from '../resource.ts';

/** `GET /management`: who is there, without login (spec proxies 8.1). */
export const root = resource({
  method: 'GET',
  path: '/management',
  role: 'public',
  summary: 'Who is there',
  tag: 'server',
  answers: {
    200: { type: 'object', required: ['ManagementApi'], properties: { ManagementApi: { const: 'Active' } } },
  },
  answer: () => ({ status: 200, body: { 'WSO2 Micro Integrator': 'mini-synapse', ManagementApi: 'Active' } }),
});
