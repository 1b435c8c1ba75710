// Loads the code of a command when it runs, so that no command pays for what another one needs.
import type { Run } from './types.ts';

type Loader = () => Promise<{ readonly run: Run }>;

/** The code of every command of the table, by name. */
export const loaders: Readonly<Record<string, Loader>> = {
  demo: () => import('./demo.ts'),
  init: () => import('./init.ts'),
  inspect: () => import('./inspect.ts'),
  plan: () => import('./plan.ts'),
  ca: () => import('./ca.ts'),
  generate: () => import('./generate.ts'),
  install: () => import('./install.ts'),
  publish: () => import('./publish.ts'),
  bundle: () => import('./bundle.ts'),
  'bundle verify': () => import('./bundle-verify.ts'),
  'bundle inspect': () => import('./bundle-inspect.ts'),
  'bundle install': () => import('./bundle-install.ts'),
  verify: () => import('./verify.ts'),
  uninstall: () => import('./uninstall.ts'),
  secrets: () => import('./secrets.ts'),
  explain: () => import('./explain.ts'),
  completion: () => import('./completion.ts'),
  version: () => import('./version.ts'),
};
